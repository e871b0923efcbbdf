import LinuxKernel
import SystemPackage
import Testing

/// Fixture trees: directories of plain files in the three layouts.
@Suite struct CgroupManagerTests {
    private struct Layout {
        let tree: TemporaryTree
        let manager: CgroupManager

        init(unified: Bool, controllers: String = "", v1: [CgroupController: String] = [:]) throws {
            tree = try TemporaryTree()
            var hierarchies = CgroupHierarchies(unified: nil)
            if unified {
                hierarchies.unified = try tree.directory("unified")
                try tree.write("unified/cgroup.controllers", controllers + "\n")
            }
            for (controller, name) in v1 { hierarchies.v1[controller] = try tree.directory(name) }
            manager = CgroupManager(hierarchies: hierarchies, root: "/swiftlet")
        }

        static func v2() throws -> Layout {
            try Layout(unified: true, controllers: "cpuset cpu io memory hugetlb pids")
        }
        static func hybrid() throws -> Layout {
            try Layout(unified: true, v1: [.cpu: "cpu", .cpuacct: "cpuacct", .memory: "memory", .pids: "pids"])
        }
        static func v1() throws -> Layout {
            try Layout(
                unified: false, v1: [.cpu: "cpu,cpuacct", .cpuacct: "cpu,cpuacct", .memory: "memory", .pids: "pids"])
        }

        func files(_ directory: String, _ names: [String]) throws {
            for name in names { try tree.write(directory + "/" + name, "") }
        }
    }

    @Test(
        "creating a cgroup twice fails with EEXIST on every layout, also when only the anchor was made before a crash")
    func createIsALock() throws {
        for layout in [try Layout.v2(), try .hybrid(), try .v1()] {
            try layout.manager.createIfNeeded("pod")
            try layout.manager.create("pod/c")
            let error = #expect(throws: KernelError.self) { try layout.manager.create("pod/c") }
            #expect(error?.errno == .fileExists)
            #expect(layout.manager.exists("pod/c"))
            #expect(try layout.manager.children("pod") == ["c"])
        }
    }

    @Test("a cgroup has a directory in every hierarchy in use, and none is left after its removal")
    func directories() throws {
        let expected: [([String], Layout)] = [
            (["unified"], try .v2()), (["unified", "cpu", "cpuacct", "memory", "pids"], try .hybrid()),
            (["cpu,cpuacct", "memory", "pids"], try .v1()),
        ]
        for (mounts, layout) in expected {
            try layout.manager.createIfNeeded("a/b")
            try layout.manager.create("a/b/c")
            for mount in mounts { #expect(FileSystem.exists(layout.tree.path + "/\(mount)/swiftlet/a/b/c")) }
            try layout.manager.remove("a")
            for mount in mounts { #expect(!FileSystem.exists(layout.tree.path + "/\(mount)/swiftlet/a")) }
            try layout.manager.remove("a")
        }
    }

    @Test("a cgroup whose directory cannot be made in one hierarchy leaves nothing behind")
    func createRollsBack() throws {
        let layout = try Layout.hybrid()
        try layout.manager.createIfNeeded("")
        try layout.tree.write("pids/swiftlet/c", "in the way")
        #expect(throws: KernelError.self) { try layout.manager.create("c") }
        for mount in ["unified", "cpu", "cpuacct", "memory"] {
            #expect(!FileSystem.exists(layout.tree.path + "/\(mount)/swiftlet/c"))
        }
    }

    @Test("the anchor of a removed cgroup stays while another hierarchy is busy")
    func anchorGoesLast() throws {
        let layout = try Layout.hybrid()
        try layout.manager.createIfNeeded("")
        try layout.manager.create("c")
        // A plain file makes the directory as undeletable as a process would.
        try layout.tree.write("pids/swiftlet/c/process", "")
        #expect(throws: KernelError.self) { try layout.manager.remove("c") }
        #expect(layout.manager.exists("c"))
    }

    @Test("a path that leaves the agent's root is refused", arguments: ["..", "a/../../b", "./a", "a\n"])
    func illegalPaths(_ path: String) throws {
        let error = #expect(throws: KernelError.self) { try Layout.v2().manager.create(path) }
        #expect(error?.errno == .invalidArgument)
    }

    @Test("on v2 the parents hand down what the host offers, top down, and nothing twice")
    func subtreeControl() throws {
        let layout = try Layout.v2()
        try layout.tree.write("unified/cgroup.subtree_control", "cpuset cpu io memory pids hugetlb\n")
        try layout.tree.write("unified/swiftlet/cgroup.controllers", "cpu memory pids\n")
        try layout.tree.write("unified/swiftlet/cgroup.subtree_control", "")
        try layout.tree.write("unified/swiftlet/kubepods/cgroup.subtree_control", "")
        try layout.manager.createIfNeeded("kubepods")
        #expect(try layout.tree.read("unified/cgroup.subtree_control") == "cpuset cpu io memory pids hugetlb\n")
        #expect(
            try layout.tree.read("unified/swiftlet/cgroup.subtree_control") == "+cpu +memory +pids +io +cpuset +hugetlb"
        )
        #expect(
            try layout.tree.read("unified/swiftlet/kubepods/cgroup.subtree_control")
                == "+cpu +memory +pids +io +cpuset +hugetlb"
        )
    }

    private let limits = CgroupResources(
        cpuShares: 1024, cpuQuotaMicroseconds: 50_000, memoryLimitBytes: 1 << 24, pidsLimit: 7, oomGroup: true)

    @Test("limits become v2 files, without swap")
    func limitsOnV2() throws {
        let layout = try Layout.v2()
        try layout.files(
            "unified/swiftlet/c",
            ["cpu.weight", "cpu.max", "memory.max", "memory.swap.max", "memory.oom.group", "pids.max"])
        #expect(try layout.manager.apply(limits, to: "c") == [])
        #expect(try layout.tree.read("unified/swiftlet/c/cpu.weight") == "100")
        #expect(try layout.tree.read("unified/swiftlet/c/cpu.max") == "50000 100000")
        #expect(try layout.tree.read("unified/swiftlet/c/memory.max") == "16777216")
        #expect(try layout.tree.read("unified/swiftlet/c/memory.swap.max") == "0")
        #expect(try layout.tree.read("unified/swiftlet/c/memory.oom.group") == "1")
        #expect(try layout.tree.read("unified/swiftlet/c/pids.max") == "7")
    }

    @Test("the same limits become v1 files, and a group kill is reported as missing")
    func limitsOnV1() throws {
        for layout in [try Layout.hybrid(), try .v1()] {
            let cpu = layout.manager.hierarchies.unified == nil ? "cpu,cpuacct" : "cpu"
            try layout.files("\(cpu)/swiftlet/c", ["cpu.shares", "cpu.cfs_quota_us"])
            try layout.files("memory/swiftlet/c", ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"])
            try layout.files("pids/swiftlet/c", ["pids.max"])
            #expect(try layout.manager.apply(limits, to: "c").map(\.resource) == [.oomGroup])
            #expect(try layout.tree.read("\(cpu)/swiftlet/c/cpu.shares") == "1024")
            #expect(try layout.tree.read("\(cpu)/swiftlet/c/cpu.cfs_quota_us") == "50000")
            #expect(try layout.tree.read("memory/swiftlet/c/memory.limit_in_bytes") == "16777216")
            #expect(try layout.tree.read("memory/swiftlet/c/memory.memsw.limit_in_bytes") == "16777216")
            #expect(try layout.tree.read("pids/swiftlet/c/pids.max") == "7")
        }
    }

    @Test("negative limits are lifted")
    func lifted() throws {
        let layout = try Layout.v2()
        try layout.files("unified/swiftlet/c", ["cpu.max", "memory.max", "pids.max"])
        let resources = CgroupResources(cpuQuotaMicroseconds: -1, memoryLimitBytes: -1, pidsLimit: -1)
        #expect(try layout.manager.apply(resources, to: "c") == [])
        #expect(try layout.tree.read("unified/swiftlet/c/cpu.max") == "max 100000")
        #expect(try layout.tree.read("unified/swiftlet/c/memory.max") == "max")
        #expect(try layout.tree.read("unified/swiftlet/c/pids.max") == "max")
    }

    @Test("what the host cannot enforce is reported limit by limit: no controller, or none handed down")
    func shortfalls() throws {
        let bare = try Layout(unified: true, controllers: "memory")
        try bare.manager.createIfNeeded("c")
        let found = try bare.manager.apply(limits, to: "c")
        #expect(found.map(\.resource) == [.cpuShares, .cpuQuota, .memoryLimit, .oomGroup, .pidsLimit])
        #expect(
            found[0].description
                == "CPU shares is not enforced: this host has no cgroup hierarchy with the cpu controller")
        #expect(found[2].reason.hasPrefix("there is no memory.max in the cgroup"))
    }

    @Test("limits of a cgroup that does not exist are an error, not a shortfall")
    func absentCgroup() throws {
        for layout in [try Layout.v2(), try .hybrid()] {
            let error = #expect(throws: KernelError.self) {
                try layout.manager.apply(CgroupResources(pidsLimit: 3), to: "absent")
            }
            #expect(error?.errno == .noSuchFileOrDirectory)
        }
    }

    @Test("a process joins v2 by clone and v1 by the tasks files, co-mounted controllers once")
    func joinPoints() throws {
        let v2 = try Layout.v2()
        #expect(
            try v2.manager.joinPoints("c")
                == CgroupJoinPoints(v2Directory: v2.tree.path + "/unified/swiftlet/c", v1TasksFiles: []))
        let v1 = try Layout.v1()
        let points = try v1.manager.joinPoints("c")
        #expect(points.v2Directory == nil)
        #expect(
            Set(points.v1TasksFiles)
                == Set(["cpu,cpuacct", "memory", "pids"].map { v1.tree.path + "/\($0)/swiftlet/c/tasks" }))
        #expect(points.v1TasksFiles.count == 3)
    }

    @Test("usage of a v2 cgroup; the working set leaves out inactive file pages")
    func usageOnV2() throws {
        let layout = try Layout.v2()
        let c = "unified/swiftlet/c/"
        try layout.tree.write(
            c + "cpu.stat",
            "usage_usec 10\nuser_usec 7\nsystem_usec 3\nnr_periods 5\nnr_throttled 2\nthrottled_usec 9\n")
        try layout.tree.write(c + "memory.current", "1000\n")
        try layout.tree.write(c + "memory.max", "max\n")
        try layout.tree.write(c + "memory.swap.current", "4\n")
        try layout.tree.write(c + "memory.stat", "anon 100\nfile 500\ninactive_file 300\npgfault 8\npgmajfault 1\n")
        try layout.tree.write(c + "memory.events", "low 0\nhigh 0\nmax 9\noom 2\noom_kill 3\noom_group_kill 1\n")
        try layout.tree.write(c + "pids.current", "6\n")
        let usage = try layout.manager.usage("c")
        var expected = CgroupUsage()
        expected.cpuUsageNanoseconds = 10_000
        expected.cpuUserNanoseconds = 7000
        expected.cpuSystemNanoseconds = 3000
        expected.cpuPeriods = 5
        expected.throttledPeriods = 2
        expected.throttledNanoseconds = 9000
        expected.memoryUsageBytes = 1000
        expected.memorySwapBytes = 4
        expected.memoryRSSBytes = 100
        expected.memoryCacheBytes = 500
        expected.memoryInactiveFileBytes = 300
        expected.pageFaults = 8
        expected.majorPageFaults = 1
        expected.memoryLimitHits = 9
        expected.oomKills = 3
        expected.pidsCurrent = 6
        #expect(usage == expected)
        #expect(usage.memoryWorkingSetBytes == 700)
        #expect(try layout.manager.oomEventsFile("c") == layout.tree.path + "/unified/swiftlet/c/memory.events")
        #expect(try layout.manager.oomEventControl("c") == nil)
    }

    @Test("usage of a v1 cgroup comes from the hierarchical counters; the kernel's largest number is no limit")
    func usageOnV1() throws {
        let layout = try Layout.v1()
        try layout.tree.write("cpu,cpuacct/swiftlet/c/cpuacct.usage", "12\n")
        try layout.tree.write("cpu,cpuacct/swiftlet/c/cpuacct.usage_user", "7\n")
        try layout.tree.write("cpu,cpuacct/swiftlet/c/cpuacct.usage_sys", "5\n")
        try layout.tree.write("cpu,cpuacct/swiftlet/c/cpu.stat", "nr_periods 5\nnr_throttled 2\nthrottled_time 9\n")
        let memory = "memory/swiftlet/c/"
        try layout.tree.write(memory + "memory.usage_in_bytes", "100\n")
        try layout.tree.write(memory + "memory.limit_in_bytes", "9223372036854771712\n")
        try layout.tree.write(memory + "memory.stat", "rss 1\ninactive_file 1\ntotal_rss 50\ntotal_inactive_file 300\n")
        try layout.tree.write(memory + "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n")
        try layout.tree.write("pids/swiftlet/c/pids.current", "6\n")
        let usage = try layout.manager.usage("c")
        #expect(usage.cpuUsageNanoseconds == 12)
        #expect(usage.cpuUserNanoseconds == 7)
        #expect(usage.cpuSystemNanoseconds == 5)
        #expect(usage.throttledNanoseconds == 9)
        #expect(usage.memoryRSSBytes == 50)
        #expect(usage.memoryWorkingSetBytes == 0, "never negative")
        #expect(usage.memoryLimitBytes == nil)
        #expect(usage.oomKills == 4)
        #expect(usage.pidsCurrent == 6)
        #expect(usage.memorySwapBytes == nil)
    }

    @Test("usage of a cgroup that does not exist is ENOENT")
    func usageOfAbsent() throws {
        let error = #expect(throws: KernelError.self) { try Layout.v2().manager.usage("c") }
        #expect(error?.errno == .noSuchFileOrDirectory)
    }

    @Test("processes are those of the cgroup and below; number 0, of a foreign namespace, is none of ours")
    func processes() throws {
        let layout = try Layout.v1()
        try layout.tree.write("pids/swiftlet/c/cgroup.procs", "12\n0\n13\n")
        try layout.tree.write("pids/swiftlet/c/inner/cgroup.procs", "14\n")
        #expect(try layout.manager.processes("c").sorted() == [12, 13, 14])
        #expect(try layout.manager.isPopulated("c"))
        #expect(try layout.manager.processes("absent") == [])
    }

    @Test(
        "v2 says itself whether anything is left",
        arguments: [("populated 1\nfrozen 0\n", true), ("populated 0\n", false)])
    func populated(_ text: String, _ expected: Bool) throws {
        let layout = try Layout.v2()
        try layout.tree.write("unified/swiftlet/c/cgroup.events", text)
        #expect(try layout.manager.isPopulated("c") == expected)
    }

    @Test("capabilities name the version and a fix for everything missing")
    func capabilities() throws {
        let v2 = try Layout.v2().manager.capabilities
        #expect(v2.version == .v2 && v2.findings.isEmpty)
        #expect(v2.available.isSuperset(of: [.cpu, .cpuacct, .memory, .pids]))
        let bare = try Layout(unified: true, controllers: "hugetlb").manager.capabilities
        #expect(bare.findings.map(\.controller) == [.cpu, .memory, .pids])
        #expect(bare.findings.allSatisfy { !$0.fix.isEmpty && !$0.problem.isEmpty })
        let none = CgroupManager(hierarchies: CgroupHierarchies(unified: nil), root: "/x")
        #expect(!none.capabilities.isUsable)
        #expect(throws: KernelError.self) { try none.create("c") }
    }
}
