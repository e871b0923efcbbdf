import LinuxKernel
import Testing

/// Values beside cpu, memory and processes, on fixture trees.
@Suite("Cgroup values that only some hosts have")
struct CgroupManagerResourcesTests {
    private let tree: TemporaryTree

    init() throws { tree = try TemporaryTree() }

    private func v2() throws -> CgroupManager {
        try tree.write("unified/cgroup.controllers", "cpuset cpu io memory hugetlb pids\n")
        return CgroupManager(
            hierarchies: CgroupHierarchies(unified: tree.path + "/unified"), root: "/swiftlet")
    }

    private func v1(additional: [CgroupController] = []) throws -> CgroupManager {
        var hierarchies = CgroupHierarchies(unified: nil)
        for controller in [CgroupController.cpu, .memory, .pids, .cpuset, .hugetlb] {
            hierarchies.v1[controller] = try tree.directory(controller.rawValue)
        }
        return CgroupManager(hierarchies: hierarchies, root: "/swiftlet", additional: additional)
    }

    private func files(_ directory: String, _ names: String...) throws {
        for name in names { try tree.write(directory + "/" + name, "") }
    }

    private var protection: CgroupResources {
        var resources = CgroupResources()
        resources.memoryMinBytes = 1 << 20
        resources.memoryLowBytes = 2 << 20
        resources.memoryHighBytes = 3 << 20
        return resources
    }

    @Test("memory is protected and throttled on v2, and on v1 said not to be")
    func memoryProtection() throws {
        let unified = try v2()
        try files("unified/swiftlet/c", "memory.min", "memory.low", "memory.high")
        #expect(try unified.apply(protection, to: "c") == [])
        #expect(try tree.read("unified/swiftlet/c/memory.min") == "1048576")
        #expect(try tree.read("unified/swiftlet/c/memory.low") == "2097152")
        #expect(try tree.read("unified/swiftlet/c/memory.high") == "3145728")
        let old = try v1()
        _ = try tree.directory("memory/swiftlet/c")
        #expect(
            try old.apply(protection, to: "c").map(\.resource)
                == [.memoryProtection, .memoryProtection, .memoryThrottling])
    }

    @Test("weights of disks are written to each file that the kernel has, within what that takes")
    func ioWeight() throws {
        var resources = CgroupResources()
        resources.ioWeight = 3000
        let unified = try v2()
        try files("unified/swiftlet/c", "io.weight", "io.bfq.weight")
        #expect(try unified.apply(resources, to: "c") == [])
        #expect(try tree.read("unified/swiftlet/c/io.weight") == "default 3000")
        #expect(try tree.read("unified/swiftlet/c/io.bfq.weight") == "1000")
        var hierarchies = CgroupHierarchies(unified: nil)
        hierarchies.v1[.io] = try tree.directory("blkio")
        let old = CgroupManager(hierarchies: hierarchies, root: "/swiftlet")
        try files("blkio/swiftlet/bfq", "blkio.bfq.weight")
        try files("blkio/swiftlet/cfq", "blkio.weight")
        resources.ioWeight = 50
        #expect(try old.apply(resources, to: "bfq") == [])
        #expect(try tree.read("blkio/swiftlet/bfq/blkio.bfq.weight") == "50")
        #expect(try old.apply(resources, to: "cfq") == [])
        #expect(try tree.read("blkio/swiftlet/cfq/blkio.weight") == "250")
    }

    @Test("weights of disks that no file takes are told")
    func noIOWeight() throws {
        var resources = CgroupResources()
        resources.ioWeight = 50
        let unified = try v2()
        _ = try tree.directory("unified/swiftlet/c")
        #expect(try unified.apply(resources, to: "c").map(\.resource) == [.ioWeight])
        _ = try tree.directory("pids/swiftlet/c")
        #expect(try v1().apply(resources, to: "c").map(\.controller) == [.io])
    }

    @Test("huge pages of each size are limited, as used and as set aside")
    func hugePages() throws {
        var resources = CgroupResources()
        resources.hugePageLimits = ["2MB": 4 << 20, "1GB": 0]
        let unified = try v2()
        try files(
            "unified/swiftlet/c", "hugetlb.2MB.max", "hugetlb.2MB.rsvd.max", "hugetlb.1GB.max", "hugetlb.1GB.rsvd.max")
        #expect(try unified.apply(resources, to: "c") == [])
        #expect(try tree.read("unified/swiftlet/c/hugetlb.2MB.max") == "4194304")
        #expect(try tree.read("unified/swiftlet/c/hugetlb.2MB.rsvd.max") == "4194304")
        #expect(try tree.read("unified/swiftlet/c/hugetlb.1GB.max") == "0")
        let old = try v1(additional: [.hugetlb])
        try files("hugetlb/swiftlet/c", "hugetlb.2MB.limit_in_bytes", "hugetlb.1GB.limit_in_bytes")
        #expect(try old.apply(resources, to: "c") == [])
        #expect(try tree.read("hugetlb/swiftlet/c/hugetlb.2MB.limit_in_bytes") == "4194304")
        let none = CgroupManager(hierarchies: CgroupHierarchies(unified: try tree.directory("bare")), root: "/swiftlet")
        #expect(try none.apply(resources, to: "c").map(\.resource) == [.hugePages])
    }

    @Test(
        "swap of a container without a memory limit: none on v2, no swapping at all on v1, and some cannot be limited")
    func swapWithoutMemoryLimit() throws {
        let unified = try v2()
        try files("unified/swiftlet/c", "memory.swap.max")
        #expect(try unified.apply(CgroupResources(memorySwapLimitBytes: 0), to: "c") == [])
        #expect(try tree.read("unified/swiftlet/c/memory.swap.max") == "0")
        let old = try v1()
        try files("memory/swiftlet/c", "memory.memsw.limit_in_bytes", "memory.swappiness")
        try tree.write("memory/swiftlet/c/memory.limit_in_bytes", "9223372036854771712\n")
        #expect(try old.apply(CgroupResources(memorySwapLimitBytes: 0), to: "c") == [])
        #expect(try tree.read("memory/swiftlet/c/memory.swappiness") == "0")
        #expect(try old.apply(CgroupResources(memorySwapLimitBytes: 1 << 20), to: "c").map(\.resource) == [.swapLimit])
        #expect(try old.apply(CgroupResources(memorySwapLimitBytes: -1), to: "c") == [])
    }

    @Test("a cpuset of v1 gets what its parent has, a v2 one is left alone, and each takes a list")
    func processors() throws {
        var resources = CgroupResources()
        resources.cpuSet = "1-2"
        let unified = try v2()
        try files("unified/swiftlet/c", "cpuset.cpus")
        #expect(try unified.apply(resources, to: "c") == [])
        #expect(try tree.read("unified/swiftlet/c/cpuset.cpus") == "1-2")
        let old = try v1(additional: [.cpuset])
        try tree.write("cpuset/cpuset.cpus", "0-3\n")
        try tree.write("cpuset/cpuset.mems", "0\n")
        try files("cpuset/swiftlet", "cpuset.cpus", "cpuset.mems")
        try files("cpuset/swiftlet/pod", "cpuset.cpus", "cpuset.mems")
        try old.createIfNeeded("pod")
        #expect(try tree.read("cpuset/swiftlet/pod/cpuset.cpus") == "0-3")
        #expect(try tree.read("cpuset/swiftlet/pod/cpuset.mems") == "0")
        try old.create("pod/c")
        #expect(FileSystem.exists(tree.path + "/cpuset/swiftlet/pod/c"))
        #expect(try old.joinPoints("pod/c").v1TasksFiles.contains(tree.path + "/cpuset/swiftlet/pod/c/tasks"))
    }

    @Test("what an earlier agent made in a hierarchy that is not asked for any more is removed all the same")
    func leftHierarchy() throws {
        let before = try v1(additional: [.cpuset])
        try before.createIfNeeded("pod")
        #expect(FileSystem.exists(tree.path + "/cpuset/swiftlet/pod"))
        let now = try v1()
        try now.remove("pod")
        #expect(!FileSystem.exists(tree.path + "/cpuset/swiftlet/pod"))
    }

    @Test("a limit below what is used without the page cache is refused before it is set")
    func belowUsage() throws {
        let unified = try v2()
        try tree.write("unified/swiftlet/c/memory.current", "5000\n")
        try tree.write("unified/swiftlet/c/memory.stat", "anon 3000\ninactive_file 2000\n")
        try unified.refuseBelowUsage(memoryLimitBytes: 3000, "c")
        let error = #expect(throws: KernelError.self) {
            try unified.refuseBelowUsage(memoryLimitBytes: 2999, "c")
        }
        #expect(error?.description.contains("2999 below the 3000 bytes used") == true)
    }

    @Test("huge page pools are read with their sizes, the smallest first")
    func pools() throws {
        for (name, count, surplus) in [("hugepages-1048576kB", "2", "0"), ("hugepages-2048kB", "0", "8")] {
            try tree.write("huge/\(name)/nr_hugepages", count + "\n")
            try tree.write("huge/\(name)/nr_overcommit_hugepages", surplus + "\n")
        }
        try tree.write("huge/hugepages-x/nr_hugepages", "1\n")
        let pools = HugePagePool.discover(directory: tree.path + "/huge")
        #expect(
            pools == [
                HugePagePool(pageBytes: 2 << 20, pageCount: 0, surplusPageCount: 8),
                HugePagePool(pageBytes: 1 << 30, pageCount: 2),
            ])
        #expect(pools.map(\.cgroupName) == ["2MB", "1GB"])
        #expect(HugePagePool(pageBytes: 64 << 10, pageCount: 1).cgroupName == "64KB")
        #expect(pools.map(\.bytes) == [0, 2 << 30])
        #expect(pools.map(\.isUsable) == [true, true])
        #expect(HugePagePool.discover(directory: tree.path + "/absent").isEmpty)
    }
}
