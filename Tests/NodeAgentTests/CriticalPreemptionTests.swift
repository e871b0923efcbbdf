import KubernetesAPI
import Testing

@testable import NodeAgent

@Suite("Which pods make room for a critical one")
struct CriticalPreemptionTests {
    /// - Parameters:
    ///   - cpu: thousandths of a core; nil for a BestEffort pod.
    private static func pod(
        _ uid: String, cpu: Int64? = nil, memory: Int64? = nil, guaranteed: Bool = false, priority: Int32? = nil
    ) -> Pod {
        var requests: [String: Quantity] = [:]
        requests["cpu"] = cpu.map { .milli($0) }
        requests["memory"] = memory.map { .bytes($0) }
        let resources = ResourceRequirements(limits: guaranteed ? requests : nil, requests: requests)
        return Pod(
            metadata: ObjectMeta(name: uid, namespace: "default", uid: uid),
            spec: PodSpec(
                containers: [Container(name: "c", image: "i", resources: requests.isEmpty ? nil : resources)],
                priority: priority))
    }

    private static let critical = pod("critical", priority: 2_000_000_000)

    private static func victims(
        _ lacking: [(String, Int64)], _ others: [Pod], for pod: Pod = critical
    ) -> [String]? {
        CriticalPreemption.victims(
            for: pod, lacking: lacking.map { ResourceShortage(resource: $0.0, amount: $0.1) }, among: others
        )?.map { $0.metadata.uid ?? "" }
    }

    @Test("what a lower class can free is not taken from a higher one")
    func classes() {
        let others = [
            Self.pod("guaranteed", cpu: 500, memory: 100, guaranteed: true), Self.pod("burstable", cpu: 500),
            Self.pod("best-effort"),
        ]
        #expect(Self.victims([("cpu", 400)], others) == ["burstable"])
        #expect(Self.victims([("cpu", 600)], others) == ["burstable", "guaranteed"])
        #expect(Self.victims([("pods", 1)], others) == ["best-effort"])
        #expect(Self.victims([("pods", 2)], others) == ["best-effort", "burstable"])
    }

    @Test("a pod of a higher class that has to go anyway spares those of lower ones")
    func spared() {
        let others = [Self.pod("guaranteed", cpu: 1000, memory: 1, guaranteed: true), Self.pod("burstable", cpu: 100)]
        // 1050 are only free with both; with 1000 and 100, 950 need the first alone.
        #expect(Self.victims([("cpu", 1050)], others) == ["burstable", "guaranteed"])
        #expect(Self.victims([("cpu", 950)], others) == ["guaranteed"])
    }

    @Test("of one class the pod that comes nearest to what is lacking goes, of two such the smaller one")
    func distance() {
        let others = [
            Self.pod("large", cpu: 900), Self.pod("enough", cpu: 450), Self.pod("small", cpu: 200),
            Self.pod("smaller", cpu: 100),
        ]
        #expect(Self.victims([("cpu", 400)], others) == ["enough"])
        #expect(Self.victims([("cpu", 1000)], others) == ["large", "smaller"])
    }

    @Test("several resources count together")
    func severalResources() {
        let others = [
            Self.pod("cpu", cpu: 1000, memory: 10), Self.pod("memory", cpu: 10, memory: 1000),
            Self.pod("both", cpu: 600, memory: 600),
        ]
        #expect(Self.victims([("cpu", 500), ("memory", 500)], others) == ["both"])
        #expect(Self.victims([("cpu", 1000), ("memory", 1000)], Array(others.prefix(2)))?.count == 2)
    }

    @Test("pods that are critical themselves stay, unless their priority is lower")
    func protected() {
        let other = Self.pod("other", cpu: 500, priority: 2_000_000_000)
        #expect(Self.victims([("cpu", 100)], [other]) == nil)
        let highest = Self.pod("highest", priority: 2_000_001_000)
        #expect(Self.victims([("cpu", 100)], [other], for: highest) == ["other"])
        var file = Self.pod("file", cpu: 500)
        file.metadata.annotations = ["kubernetes.io/config.source": "file"]
        #expect(Self.victims([("cpu", 100)], [file], for: highest) == nil, "one of a manifest has no priority")
    }

    @Test("when all together are not enough, nobody goes")
    func impossible() {
        #expect(Self.victims([("cpu", 600)], [Self.pod("a", cpu: 500)]) == nil)
        #expect(Self.victims([("cpu", 100), ("example.org/card", 1)], [Self.pod("a", cpu: 500)]) == nil)
        #expect(Self.victims([("cpu", 100)], []) == nil)
    }

    @Test("amounts beyond all measure do not overflow")
    func overflow() {
        let others = [Self.pod("a", memory: .max), Self.pod("b", memory: .max)]
        #expect(Self.victims([("memory", .max)], others)?.count == 1)
    }
}
