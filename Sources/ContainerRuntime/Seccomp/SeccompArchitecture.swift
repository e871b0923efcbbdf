import CSeccomp

/// A system call convention of a processor. A program may use several: a filter that knew only one could be walked around.
enum SeccompArchitecture: String, Hashable, Sendable, CaseIterable {
    case x86_64 = "SCMP_ARCH_X86_64"
    case x86 = "SCMP_ARCH_X86"
    case x32 = "SCMP_ARCH_X32"
    case aarch64 = "SCMP_ARCH_AARCH64"
    case arm = "SCMP_ARCH_ARM"

    #if arch(x86_64)
    static let native = SeccompArchitecture.x86_64
    /// All that programs on this machine can use.
    static let usable: Set<SeccompArchitecture> = [.x86_64, .x86, .x32]
    /// What the profile `RuntimeDefault` covers; the others are refused.
    static let runtimeDefault: Set<SeccompArchitecture> = [.x86_64, .x86]
    #elseif arch(arm64)
    static let native = SeccompArchitecture.aarch64
    static let usable: Set<SeccompArchitecture> = [.aarch64, .arm]
    static let runtimeDefault: Set<SeccompArchitecture> = [.aarch64]
    #endif

    /// Architectures that profiles may name and that this machine has nothing of.
    static let foreign: Set<String> = [
        "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64",
        "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC", "SCMP_ARCH_PPC64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_S390",
        "SCMP_ARCH_S390X", "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64", "SCMP_ARCH_LOONGARCH64",
        "SCMP_ARCH_M68K", "SCMP_ARCH_SH", "SCMP_ARCH_SHEB",
    ]

    /// Names of `arches` in a rule's `includes` and `excludes` that mean this architecture.
    var ruleName: String {
        switch self {
        case .x86_64: "amd64"
        case .x86: "x86"
        case .x32: "x32"
        case .aarch64: "arm64"
        case .arm: "arm"
        }
    }

    /// `AUDIT_ARCH_*`, as the kernel tells it to a filter. x32 shares that of x86_64 and sets a bit in the number.
    var auditToken: UInt32 {
        switch self {
        case .x86_64, .x32: 0xC000_003E
        case .x86: 0x4000_0003
        case .aarch64: 0xC000_00B7
        case .arm: 0x4000_0028
        }
    }

    /// As libseccomp calls it: with a number of its own for x32.
    private var libraryToken: UInt32 { self == .x32 ? 0x4000_003E : auditToken }

    /// Registers hold 32 bits.
    var is32Bit: Bool { self == .x86 || self == .arm }

    static let x32Bit: UInt32 = 0x4000_0000
    /// Beyond it are the private calls of 32-bit ARM, which are no newer than others.
    static let privateCalls: UInt32 = 0xF_0000

    /// The number of a call; nil when this architecture, or anyone here, does not know it.
    func number(of name: String) -> UInt32? {
        if self == .x86, let multiplexed = MultiplexedCall.byName[name] { return multiplexed.directNumber }
        let number = seccomp_syscall_resolve_name_arch(libraryToken, name)
        if number >= 0 { return UInt32(number) }
        guard number == -1, let newer = SeccompArchitecture.newerCalls[name] else { return nil }
        return self == .x32 ? newer | SeccompArchitecture.x32Bit : newer
    }

    /// Calls that the system's libseccomp may be too old for. Since Linux 5.1 a new call has one number everywhere.
    /// Without this table `fchmodat2` would fail with EPERM, and with it chmod in new images.
    static let newerCalls: [String: UInt32] = [
        "cachestat": 451, "fchmodat2": 452, "map_shadow_stack": 453, "futex_wake": 454, "futex_wait": 455,
        "futex_requeue": 456, "statmount": 457, "listmount": 458, "lsm_get_self_attr": 459, "lsm_set_self_attr": 460,
        "lsm_list_modules": 461, "mseal": 462, "setxattrat": 463, "getxattrat": 464, "listxattrat": 465,
        "removexattrat": 466, "open_tree_attr": 467, "file_getattr": 468, "file_setattr": 469, "listns": 470,
    ]

    /// 32-bit x86 has two calls behind which others hide, chosen by the first argument. A rule on one of those must hold
    /// behind it, too.
    struct MultiplexedCall: Hashable, Sendable {
        /// socketcall(2) is 102, ipc(2) 117.
        let multiplexer: UInt32
        let selector: UInt64
        /// The call's own number, on kernels since 4.3 and 5.1.
        let directNumber: UInt32?

        static let socketcall: UInt32 = 102
        static let ipc: UInt32 = 117

        /// The upper half of ipc(2)'s selector is a version.
        var condition: SeccompCondition {
            let mask: UInt64 = multiplexer == Self.ipc ? 0xffff : 0xffff_ffff
            return SeccompCondition(0, .masked(mask: mask, value: selector), isInt: true)
        }

        static let byName: [String: MultiplexedCall] = {
            let sockets: [(String, UInt64, UInt32?)] = [
                ("socket", 1, 359), ("bind", 2, 361), ("connect", 3, 362), ("listen", 4, 363), ("accept", 5, nil),
                ("getsockname", 6, 367), ("getpeername", 7, 368), ("socketpair", 8, 360), ("send", 9, nil),
                ("recv", 10, nil), ("sendto", 11, 369), ("recvfrom", 12, 371), ("shutdown", 13, 373),
                ("setsockopt", 14, 366), ("getsockopt", 15, 365), ("sendmsg", 16, 370), ("recvmsg", 17, 372),
                ("accept4", 18, 364), ("recvmmsg", 19, 337), ("sendmmsg", 20, 345),
            ]
            let queues: [(String, UInt64, UInt32?)] = [
                ("semop", 1, nil), ("semget", 2, 393), ("semctl", 3, 394), ("semtimedop", 4, nil), ("msgsnd", 11, 400),
                ("msgrcv", 12, 401), ("msgget", 13, 399), ("msgctl", 14, 402), ("shmat", 21, 397), ("shmdt", 22, 398),
                ("shmget", 23, 395), ("shmctl", 24, 396),
            ]
            var calls: [String: MultiplexedCall] = [:]
            for (name, selector, number) in sockets {
                calls[name] = MultiplexedCall(multiplexer: socketcall, selector: selector, directNumber: number)
            }
            for (name, selector, number) in queues {
                calls[name] = MultiplexedCall(multiplexer: ipc, selector: selector, directNumber: number)
            }
            return calls
        }()
    }
}
