import Testing

@testable import ContainerRuntime

struct CapabilityTests {
    @Test(
        "a capability has the kernel's number, with and without its prefix",
        arguments: [
            ("CHOWN", 0), ("KILL", 5), ("SETPCAP", 8), ("NET_BIND_SERVICE", 10), ("NET_ADMIN", 12), ("NET_RAW", 13),
            ("SYS_CHROOT", 18), ("SYS_PTRACE", 19), ("SYS_ADMIN", 21), ("MKNOD", 27), ("AUDIT_WRITE", 29),
            ("SETFCAP", 31), ("SYSLOG", 34), ("AUDIT_READ", 37), ("BPF", 39), ("CHECKPOINT_RESTORE", 40),
        ] as [(String, UInt8)])
    func numbers(name: String, number: UInt8) {
        #expect(Capability(name: name)?.rawValue == number)
        #expect(Capability(name: "CAP_" + name)?.rawValue == number)
    }

    @Test(
        "a name the kernel does not have is none", arguments: ["", "CAP_", "ALL", "net_admin", "CAP_CAP_KILL", "KILL "])
    func unknown(name: String) {
        #expect(Capability(name: name) == nil)
    }

    @Test("every capability is one bit of the mask")
    func masks() {
        #expect(CapabilitySet.all.mask == (1 << 41) - 1)
        #expect(CapabilitySet([.KILL, .CHOWN]).mask == 0b10_0001)
        #expect(CapabilitySet([.KILL]).contains(.KILL))
        #expect(!CapabilitySet([.KILL]).contains(.CHOWN))
    }

    @Test("a container that asks for nothing has the 14 default capabilities, none of them over the host")
    func defaults() {
        #expect(CapabilitySet.containerDefault.mask == 0xA804_25FB)
        for dangerous in [Capability.SYS_ADMIN, .SYS_PTRACE, .NET_ADMIN, .SYS_MODULE, .DAC_READ_SEARCH, .BPF] {
            #expect(!CapabilitySet.containerDefault.contains(dangerous), "\(dangerous)")
        }
    }

    @Test(
        "what is dropped goes first, then comes what is added",
        arguments: [
            ([], [], CapabilitySet.containerDefault), ([], ["ALL"], CapabilitySet(mask: 0)),
            (["NET_BIND_SERVICE"], ["ALL"], CapabilitySet([.NET_BIND_SERVICE])), (["ALL"], ["KILL"], .all),
            (["KILL"], ["KILL"], .containerDefault),
            (["CAP_SYS_TIME"], [], CapabilitySet(mask: CapabilitySet.containerDefault.mask | 1 << 25)),
            ([], ["CAP_CHOWN"], CapabilitySet(mask: CapabilitySet.containerDefault.mask & ~1)),
        ] as [([String], [String], CapabilitySet)])
    func changes(adding: [String], dropping: [String], expected: CapabilitySet) throws {
        #expect(try CapabilitySet.containerDefault(adding: adding, dropping: dropping) == expected)
    }

    @Test("an unknown name is refused and named, whether added or dropped", arguments: ["NET_RAWW", "", "CAP_"])
    func refused(name: String) {
        let dropped = #expect(throws: CapabilitySet.UnknownName.self) {
            try CapabilitySet.containerDefault(adding: [], dropping: [name])
        }
        #expect(dropped?.name == name)
        let error = #expect(throws: CapabilitySet.UnknownName.self) {
            try CapabilitySet.containerDefault(adding: [name], dropping: [])
        }
        #expect(error?.description.contains("\"\(name)\"") == true)
    }
}

struct CapabilitySetHeldTests {
    // Lines in the format of proc_pid_status(5).
    private static let status = """
        Name:\tx
        CapInh:\tffffffffffffffff
        CapPrm:\t000001fffeffffff
        CapEff:\t0000000000000000
        CapBnd:\t000003ffffffff0f
        """

    @Test("what can be given is permitted and in the bounding set, capabilities of later kernels included")
    func held() {
        #expect(CapabilitySet.held(status: Self.status).mask == 0x0000_01ff_feff_ff0f)
        #expect(CapabilitySet.everything.intersection(.held(status: "CapPrm:\t7ff\nCapBnd:\t7ff\n")).mask == 0x7ff)
    }

    @Test("a process whose status cannot be read holds nothing", arguments: ["", "CapPrm:\tzz\nCapBnd:\t1\n"])
    func unreadable(status: String) {
        #expect(CapabilitySet.held(status: status).mask == 0)
    }

    @Test("a set names what is in it and what is missing")
    func names() {
        #expect(CapabilitySet([.KILL, .CHOWN]).names == ["CHOWN", "KILL"])
        #expect(CapabilitySet(mask: 1 << 50).names == ["CAP_50"])
        #expect(CapabilitySet([.KILL, .CHOWN]).subtracting(CapabilitySet([.CHOWN])) == CapabilitySet([.KILL]))
    }
}
