/// Linux capabilities by their names without `CAP_` (capabilities(7)); the raw value is the kernel's number.
public enum Capability: UInt8, Hashable, Sendable, CaseIterable {
    case CHOWN = 0, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP, LINUX_IMMUTABLE
    case NET_BIND_SERVICE, NET_BROADCAST, NET_ADMIN, NET_RAW, IPC_LOCK, IPC_OWNER, SYS_MODULE, SYS_RAWIO, SYS_CHROOT
    case SYS_PTRACE, SYS_PACCT, SYS_ADMIN, SYS_BOOT, SYS_NICE, SYS_RESOURCE, SYS_TIME, SYS_TTY_CONFIG, MKNOD, LEASE
    case AUDIT_WRITE, AUDIT_CONTROL, SETFCAP, MAC_OVERRIDE, MAC_ADMIN, SYSLOG, WAKE_ALARM, BLOCK_SUSPEND, AUDIT_READ
    case PERFMON, BPF, CHECKPOINT_RESTORE

    /// `NET_ADMIN` or `CAP_NET_ADMIN`; nil for a name the kernel does not have.
    public init?(name: String) {
        let bare = name.hasPrefix("CAP_") ? String(name.dropFirst(4)) : name
        guard let match = Capability.allCases.first(where: { "\($0)" == bare }) else { return nil }
        self = match
    }
}

/// A set of capabilities as the kernel's bit mask.
public struct CapabilitySet: Hashable, Sendable {
    public var mask: UInt64

    public init(mask: UInt64) {
        self.mask = mask
    }

    public init(_ capabilities: some Sequence<Capability>) {
        mask = capabilities.reduce(0) { $0 | 1 << UInt64($1.rawValue) }
    }

    public func contains(_ capability: Capability) -> Bool { mask & 1 << UInt64(capability.rawValue) != 0 }

    /// Every capability that exists.
    public static let all = CapabilitySet(Capability.allCases)

    /// What a container gets when its spec says nothing: the 14 that container runtimes agree on.
    public static let containerDefault = CapabilitySet([
        .CHOWN, .DAC_OVERRIDE, .FSETID, .FOWNER, .MKNOD, .NET_RAW, .SETGID, .SETUID, .SETFCAP, .SETPCAP,
        .NET_BIND_SERVICE, .SYS_CHROOT, .KILL, .AUDIT_WRITE,
    ])

    /// A name that is no capability: refused, never ignored, as dropping less than asked would fail open.
    public struct UnknownName: Error, Hashable, Sendable, CustomStringConvertible {
        public let name: String
        public var description: String { "unknown capability \"\(name)\": use a name of capabilities(7), or ALL" }
    }

    /// The default set changed as a security context asks: `drop` first, then `add`; `ALL` is every capability.
    public static func containerDefault(
        adding: [String], dropping: [String]
    ) throws(UnknownName) -> CapabilitySet {
        var mask = containerDefault.mask
        for name in dropping { mask &= ~(try bits(of: name)) }
        for name in adding { mask |= try bits(of: name) }
        return CapabilitySet(mask: mask)
    }

    private static func bits(of name: String) throws(UnknownName) -> UInt64 {
        if name.uppercased() == "ALL" { return all.mask }
        guard let capability = Capability(name: name) else { throw UnknownName(name: name) }
        return 1 << UInt64(capability.rawValue)
    }
}
