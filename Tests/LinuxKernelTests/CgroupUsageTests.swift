import Testing

@testable import LinuxKernel

/// Hand-made files as the kernel's documentation (cgroup-v2.rst, cgroup-v1) shows them.
@Suite struct CgroupUsageTests {
    private let tree: TemporaryTree

    init() throws { tree = try TemporaryTree() }

    private func v2(_ files: [String: String]) throws -> CgroupManager {
        try tree.write("unified/cgroup.controllers", "cpu io memory hugetlb pids\n")
        for (name, text) in files { try tree.write("unified/swiftlet/c/" + name, text) }
        _ = try tree.directory("unified/swiftlet/c")
        return CgroupManager(hierarchies: CgroupHierarchies(unified: tree.path + "/unified"), root: "/swiftlet")
    }

    private func v1(_ files: [String: String]) throws -> CgroupManager {
        for (name, text) in files { try tree.write(name, text) }
        var hierarchies = CgroupHierarchies(unified: nil)
        for controller in [CgroupController.memory, .pids, .io, .hugetlb] {
            hierarchies.v1[controller] = try tree.directory(controller.v1Name)
        }
        _ = try tree.directory("pids/swiftlet/c")
        return CgroupManager(hierarchies: hierarchies, root: "/swiftlet")
    }

    @Test("io.stat of v2 gives bytes and operations by device; what else the kernel tells is passed over")
    func ioOnV2() throws {
        let manager = try v2([
            "io.stat": """
            8:16 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=0 dios=0
            259:0 rbytes=90430464 wbytes=0 rios=8950 wios=0 dbytes=50331648 dios=3021 cost.usage=7

            """
        ])
        let io = try #require(try manager.usage("c").io)
        #expect(io.map { [$0.major, $0.minor] } == [[8, 16], [259, 0]])
        #expect(io.map(\.readBytes) == [1_459_200, 90_430_464])
        #expect(io.map(\.writtenBytes) == [314_773_504, 0])
        #expect(io.map(\.reads) == [192, 8950] && io.map(\.writes) == [353, 0])
        #expect(try manager.usage("c").ioReadBytes == 91_889_664)
    }

    @Test("an io.stat without devices is no use of disks, not an unknown one")
    func noIO() throws {
        #expect(try v2([:]).usage("c").io == nil)
        #expect(try v2(["io.stat": ""]).usage("c").io == [])
    }

    @Test("v1 tells bytes and operations in two files, with lines for every kind of operation and a total")
    func ioOnV1() throws {
        let manager = try v1([
            "blkio/swiftlet/c/blkio.throttle.io_service_bytes_recursive":
                "8:0 Read 4096\n8:0 Write 8192\n8:0 Sync 0\n8:0 Async 12288\n8:0 Discard 0\n8:0 Total 12288\nTotal 12288\n",
            "blkio/swiftlet/c/blkio.throttle.io_serviced_recursive":
                "8:0 Read 1\n8:0 Write 2\n8:0 Total 3\nTotal 3\n",
        ])
        var expected = CgroupUsage.DeviceIO(major: 8, minor: 0)
        expected.readBytes = 4096
        expected.writtenBytes = 8192
        expected.reads = 1
        expected.writes = 2
        #expect(try manager.usage("c").io == [expected])
    }

    @Test("stalls, process limit, kernel memory, peak and limit hits are read on v2")
    func everything() throws {
        let usage = try v2([
            "cpu.stat": "usage_usec 5\n", "memory.current": "10\n", "memory.peak": "20\n",
            "memory.stat": "anon 1\nfile 2\nkernel 3\nfile_mapped 4\ninactive_file 2\n",
            "memory.events": "low 0\nhigh 0\nmax 7\noom 1\noom_kill 0\n", "memory.swap.current": "6\n",
            "memory.swap.max": "100\n", "pids.current": "3\n", "pids.max": "1024\n",
            "cpu.pressure": "some avg10=1.50 avg60=0.25 avg300=0.00 total=12345\n",
            "memory.pressure":
                "some avg10=0.00 avg60=0.00 avg300=0.00 total=9\nfull avg10=0.00 avg60=0.00 avg300=0.07 total=8\n",
        ]).usage("c")
        #expect(usage.memoryPeakBytes == 20 && usage.memoryKernelBytes == 3 && usage.memoryMappedFileBytes == 4)
        #expect(usage.memoryLimitHits == 7 && usage.oomKills == 0)
        #expect(usage.memorySwapBytes == 6 && usage.memorySwapLimitBytes == 100)
        #expect(usage.pidsCurrent == 3 && usage.pidsLimit == 1024)
        #expect(usage.cpuPressure?.some.average10 == 1.5 && usage.cpuPressure?.full == nil)
        #expect(usage.memoryPressure?.full?.average300 == 0.07 && usage.memoryPressure?.full?.totalMicroseconds == 8)
        #expect(usage.ioPressure == nil)
    }

    @Test("asked for CPU and memory only, nothing else is read")
    func scope() throws {
        let manager = try v2([
            "cpu.stat": "usage_usec 5\n", "memory.current": "10\n", "memory.stat": "anon 1\ninactive_file 2\n",
            "memory.peak": "20\n", "pids.current": "3\n", "io.stat": "8:0 rbytes=1 wbytes=1 rios=1 wios=1\n",
            "cpu.pressure": "some avg10=0.00 avg60=0.00 avg300=0.00 total=1\n",
        ])
        var expected = CgroupUsage()
        expected.cpuUsageNanoseconds = 5000
        expected.memoryUsageBytes = 10
        expected.memoryRSSBytes = 1
        expected.memoryInactiveFileBytes = 2
        #expect(try manager.usage("c", .cpuAndMemory) == expected)
    }

    @Test("on v1 swap has what the limit of memory and swap together leaves; kernel memory has a file of its own")
    func memoryOnV1() throws {
        let usage = try v1([
            "memory/swiftlet/c/memory.usage_in_bytes": "100\n", "memory/swiftlet/c/memory.limit_in_bytes": "1000\n",
            "memory/swiftlet/c/memory.memsw.limit_in_bytes": "1500\n",
            "memory/swiftlet/c/memory.kmem.usage_in_bytes": "30\n",
            "memory/swiftlet/c/memory.max_usage_in_bytes": "400\n", "memory/swiftlet/c/memory.failcnt": "2\n",
            "memory/swiftlet/c/memory.stat": "total_rss 1\ntotal_swap 5\ntotal_mapped_file 6\n",
        ]).usage("c")
        #expect(usage.memorySwapLimitBytes == 500 && usage.memorySwapBytes == 5)
        #expect(usage.memoryKernelBytes == 30 && usage.memoryPeakBytes == 400 && usage.memoryLimitHits == 2)
        #expect(usage.memoryMappedFileBytes == 6)
    }

    @Test("huge pages in use are told by size; sizes without use are not")
    func hugePages() throws {
        let manager = try v2(["hugetlb.2MB.current": "4194304\n", "hugetlb.1GB.current": "0\n"])
        var usage = CgroupUsage()
        let directory = try OwnedDescriptor.open(tree.path + "/unified/swiftlet/c", 0)
        try manager.readHugePages(
            directory, "/swiftlet/c", isUnified: true, sizes: [(2 << 20, "2MB"), (1 << 30, "1GB")], &usage)
        #expect(usage.hugePageBytes == [2 << 20: 4_194_304])
    }

    @Test("processes are counted by their lines")
    func processes() throws {
        #expect(try v2(["cgroup.procs": "1\n22\n333\n"]).usage("c").processCount == 3)
    }
}
