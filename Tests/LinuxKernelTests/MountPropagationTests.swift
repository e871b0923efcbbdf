import Testing

@testable import LinuxKernel

struct MountPropagationTests {
    // Lines in the format of proc_pid_mountinfo(5).
    private static let table = """
        36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
        37 35 98:0 / /shared rw shared:7 - ext3 /dev/root rw
        38 35 98:0 / /both rw shared:8 master:2 propagate_from:3 - ext3 /dev/root rw
        39 35 98:0 / /private rw - tmpfs shared:9 rw
        3 35 98:0 / /short rw shared:1
        """

    @Test(
        "the optional fields say how mounts travel",
        arguments: [("36", false, true), ("37", true, false), ("38", true, true), ("39", false, false)]
            as [(Substring, Bool, Bool)])
    func fields(identifier: Substring, isShared: Bool, hasMaster: Bool) {
        let found = MountPropagation(of: identifier, in: Self.table)
        #expect(found?.isShared == isShared)
        #expect(found?.hasMaster == hasMaster)
    }

    @Test("a mount that is not there has none")
    func absent() {
        #expect(MountPropagation(of: "4", in: Self.table) == nil)
        #expect(MountPropagation(of: "36", in: "") == nil)
    }

    @Test("every path is on some mount")
    func here() throws {
        #expect(throws: Never.self) { try MountPropagation.of("/proc/self") }
        #expect(throws: KernelError.self) { try MountPropagation.of("/no/such/place") }
    }
}
