import KubernetesAPI
import NodeAgent
import Testing

@testable import NodeServer

@Suite struct StatsSummaryTests {
    private func summary(brief: Bool = false) -> JSONValue {
        var rates = UsageRates(window: .seconds(10))
        rates.node = 400_000_000
        rates.pods = ["u-1": 100_000_000]
        rates.containers = ["c1": 90_000_000]
        return StatsSummary.build(
            UsageCollector.Sample(report: UsageFixture.report(), rates: rates), nodeName: "n1", onlyCPUAndMemory: brief)
    }

    @Test("the node tells all there is")
    func node() {
        let node = summary()["node"] ?? [:]
        #expect(node["nodeName"]?.stringValue == "n1" && node["startTime"]?.stringValue == "2020-09-13T12:26:40Z")
        #expect(node[path: "cpu", "usageNanoCores"]?.intValue == 400_000_000)
        #expect(node[path: "cpu", "usageCoreNanoSeconds"]?.intValue == 12_500_000_000)
        #expect(node[path: "memory", "workingSetBytes"]?.intValue == 2000)
        #expect(node[path: "memory", "availableBytes"]?.intValue == Int64(4096 - 2000))
        #expect(
            node[path: "network", "name"]?.stringValue == "eth0" && node[path: "network", "rxBytes"]?.intValue == 70)
        #expect(node[path: "network", "interfaces"]?.arrayValue?.count == 1)
        #expect(node[path: "fs", "usedBytes"]?.intValue == 500 && node[path: "fs", "inodesUsed"]?.intValue == 40)
        #expect(node[path: "runtime", "imageFs", "capacityBytes"]?.intValue == 1000)
        #expect(node[path: "swap", "swapUsageBytes"]?.intValue == 0)
        let system = node["systemContainers"]?.arrayValue ?? []
        #expect(system.map { $0["name"]?.stringValue } == ["pods"])
        #expect(system.first?[path: "cpu", "usageCoreNanoSeconds"]?.intValue == 3_000_000_000)
    }

    @Test("a pod and its container tell theirs, network and storage by pod")
    func pod() throws {
        let pod = try #require(summary()["pods"]?.arrayValue?.first)
        #expect(pod["podRef"] == ["name": "web", "namespace": "shop", "uid": "u-1"])
        #expect(pod[path: "cpu", "usageNanoCores"]?.intValue == 100_000_000)
        #expect(pod[path: "cpu", "psi", "some", "total"]?.intValue == 2_500_000)
        #expect(pod[path: "cpu", "psi", "some", "avg10"]?.doubleValue == 1.5)
        #expect(pod[path: "network", "txBytes"]?.intValue == 7)
        #expect(pod[path: "ephemeral-storage", "usedBytes"]?.intValue == 66)
        // Measured now and then, and told with the time of it.
        #expect(pod[path: "ephemeral-storage", "time"]?.stringValue == "2023-11-14T22:12:30Z")
        #expect(pod[path: "ephemeral-storage", "capacityBytes"]?.intValue == 1000)
        let volumes = pod["volume"]?.arrayValue ?? []
        #expect(volumes.map { $0["name"]?.stringValue } == ["data", "state"])
        #expect(volumes.first?["usedBytes"]?.intValue == 33 && volumes.first?["pvcRef"] == nil)
        #expect(volumes.last?["pvcRef"] == ["name": "books", "namespace": "shop"])
        #expect(volumes.last?["capacityBytes"]?.intValue == 900 && volumes.last?["inodesUsed"]?.intValue == 40)
        #expect(pod[path: "process_stats", "process_count"]?.intValue == 2)
        let container = try #require(pod["containers"]?.arrayValue?.first)
        #expect(container["name"]?.stringValue == "main")
        #expect(container[path: "cpu", "usageNanoCores"]?.intValue == 90_000_000)
        #expect(container[path: "memory", "availableBytes"]?.intValue == 8000, "what its limit leaves")
        #expect(container[path: "rootfs", "usedBytes"]?.intValue == 11)
        #expect(container[path: "logs", "inodesUsed"]?.intValue == 2)
    }

    @Test("only CPU and memory means only these")
    func brief() throws {
        let summary = summary(brief: true)
        let node = try #require(summary["node"]?.objectValue)
        #expect(Set(node.keys) == ["nodeName", "startTime", "cpu", "memory", "systemContainers"])
        let pod = try #require(summary["pods"]?.arrayValue?.first?.objectValue)
        #expect(Set(pod.keys) == ["podRef", "startTime", "cpu", "memory", "containers"])
        let container = try #require(pod["containers"]?.arrayValue?.first?.objectValue)
        #expect(Set(container.keys) == ["name", "startTime", "cpu", "memory"])
    }
}
