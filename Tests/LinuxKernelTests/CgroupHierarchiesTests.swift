import LinuxKernel
import Testing

@Suite struct CgroupHierarchiesTests {
    @Test("a unified host has one hierarchy and no v1 controllers")
    func unified() {
        let found = CgroupHierarchies.discover(
            mountinfo: "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n")
        #expect(found == CgroupHierarchies(unified: "/sys/fs/cgroup"))
        #expect(found.version == .v2)
    }

    @Test("a hybrid host gives each controller the mount it is on, co-mounted ones the same")
    func hybrid() {
        let found = CgroupHierarchies.discover(
            mountinfo: """
                31 23 0:28 / /sys/fs/cgroup ro shared:9 - tmpfs tmpfs ro,mode=755
                32 31 0:29 / /sys/fs/cgroup/unified rw shared:10 - cgroup2 cgroup2 rw
                33 31 0:30 / /sys/fs/cgroup/systemd rw shared:11 - cgroup cgroup rw,xattr,name=systemd
                34 31 0:31 / /sys/fs/cgroup/cpu,cpuacct rw shared:12 master:3 - cgroup cgroup rw,cpu,cpuacct
                35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
                36 31 0:33 / /sys/fs/cgroup/blk\\040io rw - cgroup cgroup rw,blkio
                """)
        #expect(found.version == .hybrid)
        #expect(found.unified == "/sys/fs/cgroup/unified")
        #expect(
            found.v1 == [
                .cpu: "/sys/fs/cgroup/cpu,cpuacct", .cpuacct: "/sys/fs/cgroup/cpu,cpuacct",
                .memory: "/sys/fs/cgroup/memory", .io: "/sys/fs/cgroup/blk io",
            ])
    }

    @Test("a mount of a part of a hierarchy does not hide the whole one")
    func wholeWins() {
        let found = CgroupHierarchies.discover(
            mountinfo: """
                1 0 0:1 /docker/abc /some/where rw - cgroup cgroup rw,pids
                2 0 0:1 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
                """)
        #expect(found == CgroupHierarchies(unified: nil, v1: [.pids: "/sys/fs/cgroup/pids"]))
        #expect(found.version == .v1)
    }

    @Test(
        "lines that are no mount entries are passed over",
        arguments: ["", "x", "1 2 3 / /a rw - cgroup2", "1 2 0:3 / /a rw cgroup2 x rw"])
    func garbage(_ line: String) {
        #expect(CgroupHierarchies.discover(mountinfo: line).version == .none)
    }
}
