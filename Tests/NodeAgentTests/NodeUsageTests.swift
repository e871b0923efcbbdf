import KubernetesAPI
import LinuxKernel
import Testing

@testable import NodeAgent

@Suite struct NodeUsageTests {
    @Test("the busy time leaves out idle and waiting for disks, and counts guests once")
    func busy() {
        // user nice system idle iowait irq softirq steal guest guest_nice
        let text = "cpu  100 10 50 9000 400 5 6 7 90 9\ncpu0 1 1 1 1\n"
        #expect(NodeUsage.busyNanoseconds(text) == 178 * 10_000_000)
        #expect(NodeUsage.busyNanoseconds("intr 1\n") == nil)
    }

    @Test("the interface of the default route is the one with destination and mask 0")
    func route() {
        let text = """
            Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
            br0\t0000550A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
            eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0

            """
        #expect(NodeUsage.defaultRouteInterface(text) == "eth0")
        #expect(NodeUsage.defaultRouteInterface("Iface\n") == nil)
    }

    @Test(
        "disks count, partitions and devices made of disks do not",
        arguments: [
            ("sda", true), ("sda1", false), ("vdb", true), ("nvme0n1", true), ("nvme0n1p2", false), ("mmcblk0", true),
            ("mmcblk0p1", false), ("dm-0", false), ("loop3", false), ("md0", false), ("zram0", false),
        ])
    func disks(name: String, isWhole: Bool) throws {
        let line = "   8       0 \(name) 10 1 20 5 30 2 40 6 0 7 8 0 0 0 0 0 0\n"
        let disk = try #require(DiskStatistics.parse(line).first)
        #expect(disk.isWhole == isWhole)
        #expect(disk.usage.reads == 10 && disk.usage.readBytes == 20 * 512)
        #expect(disk.usage.writes == 30 && disk.usage.writtenBytes == 40 * 512)
    }

    @Test("memory is available as far as it is not in the working set")
    func available() {
        var node = NodeUsage()
        node.memory = ProcFS.MemoryInformation(
            parsing: "MemTotal: 1000 kB\nMemFree: 300 kB\nInactive(file): 200 kB\n")
        node.usage.memoryUsageBytes = 700 << 10
        node.usage.memoryInactiveFileBytes = 200 << 10
        #expect(node.memoryAvailableBytes == 500 << 10)
    }

    @Test("a pod's ephemeral storage is its layers, its logs and its volumes")
    func disk() {
        let usage = EphemeralStorageUsage(
            containers: [
                "a": .init(writableLayer: DiskUsage(bytes: 1, inodes: 10), logs: DiskUsage(bytes: 2, inodes: 20)),
                "b": .init(),
            ],
            volumes: ["v": DiskUsage(bytes: 4, inodes: 40)],
            mounted: [
                "claim": .init(fileSystem: FileSystemUsage(capacityBytes: 9, availableBytes: 1, usedBytes: 8))
            ])
        #expect(usage.total == DiskUsage(bytes: 7, inodes: 70), "and no claim, which outlives it")
    }

    @Test("events are counted by what they say of whom")
    func counters() {
        let counters = AgentCounters()
        func record(_ reason: String, _ field: String? = nil, kind: String = "Pod") {
            counters.record(ObjectReference(kind: kind, fieldPath: field), reason: reason)
        }
        record("Started", "spec.containers{a}")
        record("Started", "spec.containers{b}")
        record("Started", "spec.initContainers{i}")
        record("Failed", "spec.containers{a}")
        record("OutOfmemory")
        record("Started", kind: "Node")
        var expected = AgentCounters.Counts()
        expected.startedContainers = ["container": 2, "init_container": 1]
        expected.failedContainers = ["container": 1]
        expected.rejections = ["OutOfmemory": 1]
        #expect(counters.current == expected)
    }
}
