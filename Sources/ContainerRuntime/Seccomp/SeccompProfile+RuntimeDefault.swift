import Glibc
import LinuxKernel

extension SeccompProfile {
    /// CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET.
    private static let namespaceFlags: UInt64 = 0x7e02_0000
    private static let cryptography: UInt64 = 38
    private static let virtualSockets: UInt64 = 40

    /// The profile `RuntimeDefault`: an allow list, everything else fails with EPERM.
    ///
    /// - `clone3` fails with ENOSYS, so that libc falls back to `clone`, whose flags a filter can read. New user, mount,
    ///   network… namespaces need CAP_SYS_ADMIN.
    /// - AF_ALG and AF_VSOCK sockets fail with EAFNOSUPPORT, as on a kernel without them (CVE-2026-31431).
    /// - Behind 32-bit x86's socketcall(2) a filter cannot see the family: making any socket that way fails likewise, unless
    ///   a security module keeps those two families away. musl uses socket(2); the C library of 32-bit Debian needs such a
    ///   module, or a profile of its own.
    /// - Calls newer than the newest listed one fail with ENOSYS: programs try them and fall back.
    ///
    /// - Parameter familiesAreGuarded: a security module refuses AF_ALG and AF_VSOCK, by whichever call.
    static func runtimeDefault(_ capabilities: CapabilitySet, familiesAreGuarded: Bool = false) -> SeccompProfile {
        var rules = [Rule(names: SeccompSyscalls.always + ["socket"], action: .allow)]
        for (capability, names) in SeccompSyscalls.byCapability where capabilities.contains(capability) {
            rules.append(Rule(names: names, action: .allow))
        }
        // The harmless values; the last one only asks.
        for value: UInt64 in [0x0, 0x0008, 0x20000, 0x20008, 0xffff_ffff] {
            rules.append(
                Rule(
                    names: ["personality"], action: .allow,
                    conditions: [SeccompCondition(0, .equal(value), isInt: true)]))
        }
        for family in [cryptography, virtualSockets] {
            rules.append(
                Rule(
                    names: ["socket"], action: .error(UInt16(EAFNOSUPPORT)),
                    conditions: [SeccompCondition(0, .equal(family), isInt: true)],
                    reachesMultiplexed: !familiesAreGuarded))
        }
        if !capabilities.contains(.SYS_ADMIN) {
            rules.append(
                Rule(
                    names: ["clone"], action: .allow,
                    conditions: [SeccompCondition(0, .masked(mask: namespaceFlags, value: 0))]))
            rules.append(Rule(names: ["clone3"], action: .error(UInt16(ENOSYS))))
        }
        return SeccompProfile(
            defaultAction: .error(UInt16(EPERM)), architectures: SeccompArchitecture.runtimeDefault, rules: rules)
    }
}
