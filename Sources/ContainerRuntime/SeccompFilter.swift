import CLinux
import CSeccomp
import Glibc
import LinuxKernel
import Synchronization
import SystemPackage

/// Compiles the RuntimeDefault seccomp profile with libseccomp. The filter reaches a container as BPF bytes: no library of ours
/// is ever loaded inside one.
///
/// Allow list; everything else fails with EPERM, `clone3` with ENOSYS so that libc falls back to `clone`, whose flags a filter
/// can read. New user, mount, network… namespaces need CAP_SYS_ADMIN. AF_ALG and AF_VSOCK sockets are refused (CVE-2026-31431).
enum SeccompFilter {
    private static let cache = Mutex<[UInt64: [UInt8]]>([:])

    /// The filter of a container with these capabilities, compiled once for each set that matters.
    static func runtimeDefault(_ capabilities: CapabilitySet) throws(RuntimeError) -> [UInt8] {
        let key = SeccompSyscalls.byCapability.reduce(UInt64(0)) { key, entry in
            capabilities.contains(entry.capability) ? key | 1 << UInt64(entry.capability.rawValue) : key
        }
        if let filter = cache.withLock({ $0[key] }) { return filter }
        let filter = try compile(capabilities)
        cache.withLock { $0[key] = filter }
        return filter
    }

    private static func compile(_ capabilities: CapabilitySet) throws(RuntimeError) -> [UInt8] {
        // SCMP_ACT_ERRNO(EPERM)
        guard let context = seccomp_init(actionErrno(EPERM)) else {
            throw RuntimeError(.kernel, "seccomp_init failed: out of memory")
        }
        defer { seccomp_release(context) }
        // 32-bit programs are filtered by the same list. x32 calls are refused whole: distributions' kernels do not answer
        // them, and a third copy of the list costs every launch 0.1 ms.
        #if arch(x86_64)
        let code = seccomp_arch_add(context, seccomp_arch_resolve_name("x86"))
        guard code == 0 || code == -EEXIST else { throw failure("seccomp_arch_add", code) }
        #endif
        // A balanced tree instead of a chain: fewer instructions on every system call of every container.
        seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2)
        for name in SeccompSyscalls.always { try allow(name, in: context) }
        for (capability, names) in SeccompSyscalls.byCapability where capabilities.contains(capability) {
            for name in names { try allow(name, in: context) }
        }
        try addConditions(to: context, capabilities)
        return try export(context)
    }

    private static let actionAllow: UInt32 = 0x7fff_0000
    private static func actionErrno(_ errno: Int32) -> UInt32 { 0x0005_0000 | UInt32(errno) }

    private static func failure(_ call: String, _ code: Int32) -> RuntimeError {
        RuntimeError(.kernel, "\(call): \(Errno(rawValue: -code))")
    }

    /// Names that this libseccomp or architecture does not know cannot be called by name and are left out.
    private static func number(_ name: String) -> Int32? {
        let number = seccomp_syscall_resolve_name(name)
        return number == -1 ? nil : number
    }

    private static func allow(
        _ name: String, in context: scmp_filter_ctx, _ comparisons: [scmp_arg_cmp] = [], action: UInt32 = actionAllow
    ) throws(RuntimeError) {
        guard let number = number(name) else { return }
        let code = seccomp_rule_add_array(context, action, number, UInt32(comparisons.count), comparisons)
        // EEXIST: already allowed; EDOM and EFAULT: not on one of the architectures.
        guard code == 0 || code == -EEXIST || code == -EDOM || code == -EFAULT || code == -EINVAL else {
            throw failure("seccomp_rule_add(\(name))", code)
        }
    }

    private static func compare(
        _ argument: UInt32, _ operation: scmp_compare, _ first: UInt64, _ second: UInt64 = 0
    ) -> scmp_arg_cmp {
        scmp_arg_cmp(arg: argument, op: operation, datum_a: first, datum_b: second)
    }

    private static func addConditions(
        to context: scmp_filter_ctx, _ capabilities: CapabilitySet
    ) throws(RuntimeError) {
        // personality(2): the harmless ones only.
        for value: UInt64 in [0x0, 0x0008, 0x20000, 0x20008, 0xffff_ffff] {
            try allow("personality", in: context, [compare(0, SCMP_CMP_EQ, value)])
        }
        // AF_ALG is 38, AF_VSOCK 40.
        try allow("socket", in: context, [compare(0, SCMP_CMP_LT, 38)])
        try allow("socket", in: context, [compare(0, SCMP_CMP_EQ, 39)])
        try allow("socket", in: context, [compare(0, SCMP_CMP_GT, 40)])
        guard !capabilities.contains(.SYS_ADMIN) else { return }
        // clone(2) without any CLONE_NEW* flag.
        try allow("clone", in: context, [compare(0, SCMP_CMP_MASKED_EQ, 0x7e02_0000, 0)])
        try allow("clone3", in: context, action: actionErrno(ENOSYS))
    }

    private static func export(_ context: scmp_filter_ctx) throws(RuntimeError) -> [UInt8] {
        do throws(KernelError) {
            let memory = OwnedDescriptor(
                owning: try kernelCall("memfd_create") { CLinux_memfd_create("seccomp", UInt32(MFD_CLOEXEC)) })
            let code = seccomp_export_bpf(context, memory.raw)
            guard code == 0 else { throw KernelError("seccomp_export_bpf", errno: Errno(rawValue: -code)) }
            try kernelCall("lseek") { lseek(memory.raw, 0, SEEK_SET) }
            return try memory.readAll()
        } catch { throw RuntimeError(error) }
    }
}
