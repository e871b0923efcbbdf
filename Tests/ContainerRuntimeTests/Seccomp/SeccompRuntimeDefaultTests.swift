import Glibc
import LinuxKernel
import Testing

@testable import ContainerRuntime

#if arch(x86_64)
/// What the default profile answers, as the numbers of the kernel's tables have it.
struct SeccompRuntimeDefaultTests {
    private func filter(
        _ capabilities: [Capability] = [], without: [Capability] = [], familiesAreGuarded: Bool = false
    ) throws -> SeccompSimulator {
        var set = CapabilitySet.containerDefault
        set.mask |= CapabilitySet(capabilities).mask
        set.mask &= ~CapabilitySet(without).mask
        return try SeccompSimulator(
            try SeccompFilter.runtimeDefault(set, familiesAreGuarded: familiesAreGuarded))
    }

    private static let refused: [(String, number: UInt32, number32: UInt32)] = [
        ("mount", 165, 21), ("umount2", 166, 52), ("unshare", 272, 310), ("setns", 308, 346), ("bpf", 321, 357),
        ("add_key", 248, 286), ("request_key", 249, 287), ("keyctl", 250, 288), ("perf_event_open", 298, 336),
        ("userfaultfd", 323, 374), ("io_uring_setup", 425, 425), ("io_uring_enter", 426, 426),
        ("io_uring_register", 427, 427), ("kexec_load", 246, 283), ("open_by_handle_at", 304, 342),
        ("init_module", 175, 128), ("finit_module", 313, 350), ("delete_module", 176, 129), ("reboot", 169, 88),
        ("swapon", 167, 87), ("swapoff", 168, 115), ("pivot_root", 155, 217), ("syslog", 103, 103),
        ("acct", 163, 51), ("settimeofday", 164, 79), ("iopl", 172, 110), ("ioperm", 173, 101),
        ("quotactl", 179, 131), ("open_tree", 428, 428), ("move_mount", 429, 429), ("fsopen", 430, 430),
        ("fsconfig", 431, 431), ("fsmount", 432, 432), ("mount_setattr", 442, 442), ("pidfd_getfd", 438, 438),
        ("kcmp", 312, 349), ("vhangup", 153, 111), ("mbind", 237, 274), ("move_pages", 279, 317),
        ("sethostname", 170, 74), ("clock_settime", 227, 264), ("fanotify_init", 300, 338),
    ]

    @Test("what could harm the host fails with EPERM in both conventions")
    func refusals() throws {
        let filter = try filter()
        for (name, number, number32) in Self.refused {
            #expect(filter.answer(number) == Answer.error(EPERM), "\(name)")
            #expect(filter.answer32(number32) == Answer.error(EPERM), "\(name) of 32 bits")
        }
        #expect(filter.answer(320) == Answer.error(EPERM), "kexec_file_load")
    }

    @Test("what programs need is let through in both conventions")
    func permissions() throws {
        let filter = try filter()
        let needed: [(UInt32, UInt32)] = [
            (0, 3), (1, 4), (59, 11), (257, 295), (202, 240), (133, 14), (101, 26), (161, 61), (157, 172), (317, 354),
            (452, 452), (462, 462), (439, 439), (436, 436), (444, 444), (334, 386),
        ]
        for (number, number32) in needed {
            #expect(filter.answer(number) == Answer.allow, "\(number)")
            #expect(filter.answer32(number32) == Answer.allow, "\(number32) of 32 bits")
        }
    }

    @Test("clone makes processes and no namespaces; clone3, whose flags cannot be seen, is not there")
    func namespaces() throws {
        let filter = try filter()
        for (flags, expected): (UInt64, UInt32) in [
            (0x11, Answer.allow), (0x3d_0f00, Answer.allow), (0x1200011, Answer.allow),
        ] {
            #expect(filter.answer(56, flags) == expected)
            #expect(filter.answer32(120, flags) == expected)
        }
        for bit in [17, 25, 26, 27, 28, 29, 30] as [UInt64] {
            let namespace: UInt64 = 1 << bit
            for flags in [namespace | 0x11, namespace | 0xffff_ffff_0000_0011] {
                #expect(filter.answer(56, flags) == Answer.error(EPERM), "\(bit)")
            }
            #expect(filter.answer32(120, namespace | 0x11) == Answer.error(EPERM))
        }
        #expect(filter.answer(435) == Answer.error(ENOSYS))
        #expect(filter.answer32(435) == Answer.error(ENOSYS))
        let admin = try self.filter([.SYS_ADMIN])
        for number: UInt32 in [56, 435, 272, 308, 165] { #expect(admin.answer(number, 1 << 28) == Answer.allow) }
    }

    @Test("sockets of every family but AF_ALG and AF_VSOCK, whatever is in the high half of the argument")
    func families() throws {
        let filter = try filter()
        for family: UInt64 in 0...50 {
            let expected = [38, 40].contains(family) ? Answer.error(EAFNOSUPPORT) : Answer.allow
            for argument in [family, family | 1 << 32, family | 0xffff_ffff_0000_0000] {
                #expect(filter.answer(41, argument) == expected, "socket(\(argument))")
            }
            #expect(filter.answer32(359, family) == expected)
        }
    }

    @Test("32-bit socketcall makes sockets only when something else looks at the family")
    func socketcall() throws {
        let alone = try filter()
        #expect(alone.answer32(102, 1) == Answer.error(EAFNOSUPPORT), "its argument is behind a pointer")
        for call: UInt64 in 2...20 { #expect(alone.answer32(102, call) == Answer.allow) }
        let guarded = try filter(familiesAreGuarded: true)
        #expect(guarded.answer32(102, 1) == Answer.allow)
        #expect(guarded.answer(41, 38) == Answer.error(EAFNOSUPPORT))
    }

    @Test("personality takes the harmless values")
    func personality() throws {
        let filter = try filter()
        for value: UInt64 in [0, 8, 0x20000, 0x20008, 0xffff_ffff] {
            #expect(filter.answer(135, value) == Answer.allow)
            #expect(filter.answer32(136, value) == Answer.allow)
        }
        for value: UInt64 in [0x40000, 0x0100000, 0x400000, 1, 0x1_0040_0000] {
            #expect(filter.answer(135, value) == Answer.error(EPERM), "\(value)")
        }
    }

    @Test("a capability opens what it is for")
    func capabilities() throws {
        let opened: [(Capability, UInt32)] = [
            (.DAC_READ_SEARCH, 304), (.SYS_BOOT, 169), (.SYS_MODULE, 175), (.SYS_PACCT, 163), (.SYS_PTRACE, 438),
            (.SYS_RAWIO, 172), (.SYS_TIME, 164), (.SYS_TTY_CONFIG, 153), (.SYS_NICE, 237), (.SYSLOG, 103),
            (.BPF, 321), (.PERFMON, 298), (.SYS_ADMIN, 165),
        ]
        for (capability, number) in opened {
            #expect(try filter([capability]).answer(number) == Answer.allow, "\(capability)")
        }
        #expect(try filter(without: [.SYS_CHROOT]).answer(161) == Answer.error(EPERM))
        // The kernel lets these two be tried without any right; nothing opens the rest.
        let all = try filter(Capability.allCases)
        for number: UInt32 in [246, 320, 425, 323, 250, 167] { #expect(all.answer(number) == Answer.error(EPERM)) }
    }

    @Test("the filter is small: it is run for every call")
    func size() throws {
        let bytes = try SeccompFilter.runtimeDefault(.containerDefault)
        #expect(bytes.count / 8 < 700)
    }
}
#endif
