import KubernetesAPI
import LinuxKernel
import NodeAgent

@testable import ContainerRuntime

/// A node with one pod of one container, with round figures.
enum UsageFixture {
    static let time = Timestamp(seconds: 1_700_000_000, nanoseconds: 250_000_000)

    static func report() -> UsageReport {
        var node = NodeUsage()
        node.usage.cpuUsageNanoseconds = 12_500_000_000
        node.usage.memoryUsageBytes = 3000
        node.usage.memoryInactiveFileBytes = 1000
        node.usage.memorySwapBytes = 0
        node.memory = ProcFS.MemoryInformation(parsing: "MemTotal: 4 kB\nMemFree: 1 kB\nSwapTotal: 0 kB\n")
        node.processors = 2
        node.bootedAt = 1_600_000_000
        node.interfaces = [NetworkInterfaceCounters(name: "eth0", receivedBytes: 70, sentBytes: 80)]
        node.primaryInterface = "eth0"
        node.fileSystem = FileSystemUsage(
            capacityBytes: 1000, availableBytes: 400, usedBytes: 500, inodes: 100, freeInodes: 60)
        return UsageReport(
            time: time, node: node, groups: [.init(cgroupPath: "kubepods", usage: usage(cpu: 3_000_000_000))],
            pods: [pod()])
    }

    static let claim = FileSystemUsage(
        capacityBytes: 900, availableBytes: 700, usedBytes: 200, inodes: 50, freeInodes: 10)

    static func usage(cpu: UInt64, processes: UInt64? = nil) -> CgroupUsage {
        var usage = CgroupUsage()
        usage.processCount = processes
        usage.cpuUsageNanoseconds = cpu
        usage.memoryUsageBytes = 2048
        usage.memoryInactiveFileBytes = 48
        usage.memoryRSSBytes = 900
        usage.memorySwapBytes = 0
        usage.memoryLimitBytes = 10_000
        usage.oomKills = 1
        usage.pidsCurrent = 4
        var disk = CgroupUsage.DeviceIO(major: 8, minor: 0)
        disk.readBytes = 4096
        disk.writes = 3
        usage.io = [disk]
        usage.cpuPressure = PressureStallInformation(
            some: .init(average10: 1.5, average60: 0.5, average300: 0, totalMicroseconds: 2_500_000), full: nil)
        return usage
    }

    private static func pod() -> UsageReport.PodEntry {
        let metadata = ContainerMetadata(podUID: "u-1", podNamespace: "shop", podName: "web", name: "main", attempt: 0)
        let config = ContainerConfig(
            sandboxID: "s1", metadata: metadata, image: "app:\"1\"", arguments: ["/app"],
            cgroupPath: "kubepods/podu-1/main.0", logPath: "/log")
        let instance = ContainerInstance(
            id: "c1", config: config, createdAt: 0, state: .created, shortfalls: [], failureMessage: nil)
        return UsageReport.PodEntry(
            uid: "u-1", namespace: "shop", name: "web", labels: ["app": "web"], cgroupPath: "kubepods/podu-1",
            startedAt: Timestamp(seconds: 1_699_999_000), usage: usage(cpu: 2_000_000_000),
            containers: [
                .init(
                    instance: instance, usage: usage(cpu: 1_500_000_000, processes: 2),
                    startedAt: Timestamp(seconds: 1_699_999_100),
                    disk: .init(
                        writableLayer: DiskUsage(bytes: 11, inodes: 1), logs: DiskUsage(bytes: 22, inodes: 2)))
            ],
            network: NetworkInterfaceCounters(
                name: "eth0", receivedBytes: 5, receivedPackets: 6, sentBytes: 7, sentPackets: 8),
            sandboxID: "s1",
            disk: EphemeralStorageUsage(
                containers: [
                    "main": .init(
                        writableLayer: DiskUsage(bytes: 11, inodes: 1), logs: DiskUsage(bytes: 22, inodes: 2))
                ],
                volumes: ["data": DiskUsage(bytes: 33, inodes: 3)],
                mounted: ["state": .init(fileSystem: claim, claim: "books")], time: Timestamp(seconds: 1_699_999_950)))
    }
}
