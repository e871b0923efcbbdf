import KubernetesAPI
import Testing

@testable import NodeAgent

@Suite("The Node object")
struct NodeObjectTests {
    private let information = NodeInformation(
        processors: 4, memory: 8 << 30, swap: 1 << 30, ephemeralStorage: 1_000_000_007, machineID: "m",
        systemUUID: "s", bootID: "b", kernelVersion: "6.1", osImage: "Debian", architecture: "amd64")
    private let now = Timestamp(seconds: 100, nanoseconds: 7)

    private func build(
        _ configuration: NodeConfiguration = NodeConfiguration(name: "n1", version: "0.1.0"),
        problems: [NodeProblem] = [], shortfalls: [String] = [], images: [ContainerImage] = []
    ) -> Node {
        NodeObject.build(
            configuration, information, problems: problems, shortfalls: shortfalls, images: images, now: now)
    }

    private func condition(_ type: String, _ node: Node) -> NodeCondition? {
        node.status?.conditions?.first { $0.type == type }
    }

    @Test("it is a valid object that says who and what it is")
    func identity() {
        let configuration = NodeConfiguration(
            name: "n1", labels: ["team": "blue", "kubernetes.io/os": "plan9"], podCIDRs: ["10.1.0.0/24"],
            kubeletPort: 10251, addresses: ["192.0.2.1", "2001:db8::1"], version: "0.1.0")
        let node = build(configuration)
        #expect(node.validate().isEmpty)
        #expect(node.metadata.labels?["kubernetes.io/hostname"] == "n1")
        #expect(node.metadata.labels?["kubernetes.io/os"] == "linux")
        #expect(node.metadata.labels?["kubernetes.io/arch"] == "amd64")
        #expect(node.metadata.labels?["team"] == "blue")
        #expect(node.spec.podCIDR == "10.1.0.0/24")
        #expect(
            node.status?.addresses?.map { "\($0.type) \($0.address)" }
                == ["InternalIP 192.0.2.1", "InternalIP 2001:db8::1", "Hostname n1"])
        #expect(node.status?.features?.supplementalGroupsPolicy == true)
        #expect(node.status?.runtimeHandlers?.map(\.features?.recursiveReadOnlyMounts) == [true])
        #expect(node.status?.daemonEndpoints?.kubeletEndpoint?.port == 10251)
        #expect(node.status?.nodeInfo?.kubeletVersion == "v1.36.0-swiftlet.0.1.0")
        #expect(node.status?.nodeInfo?.containerRuntimeVersion == "swiftlet://0.1.0")
        #expect(node.status?.nodeInfo?.kubeProxyVersion == "")
        #expect(node.status?.nodeInfo?.swap?.capacity == 1 << 30)
    }

    @Test("pods may use what is left after reservations and eviction thresholds")
    func allocatable() {
        let configuration = NodeConfiguration(
            name: "n1", maxPods: 50,
            reservation: NodeReservation(
                system: ["cpu": .milli(200)], agent: ["cpu": .milli(300), "memory": .bytes(1 << 30)]),
            version: "1")
        let status = build(configuration).status
        #expect(status?.capacity?["cpu"] == .cores(4))
        #expect(status?.allocatable?["cpu"] == .milli(3500))
        #expect(status?.allocatable?["memory"] == .bytes((7 << 30) - (100 << 20)))
        #expect(status?.allocatable?["ephemeral-storage"] == .bytes(900_000_007))
        #expect(status?.allocatable?["pods"] == .count(50))
    }

    @Test("there is never less than nothing, however much is set aside")
    func allocatableFloor() {
        let configuration = NodeConfiguration(
            name: "n1", reservation: NodeReservation(system: ["cpu": .cores(64)]), evictionMemoryBytes: .max,
            evictionNodefsPercent: 1000, version: "1")
        let allocatable = build(configuration).status?.allocatable
        for name in ["cpu", "memory", "ephemeral-storage"] { #expect(allocatable?[name] == .zero) }
    }

    @Test("a healthy node has four conditions, Ready last")
    func healthy() {
        let conditions = build().status?.conditions ?? []
        #expect(
            conditions.map { "\($0.type) \($0.status) \($0.reason ?? "")" } == [
                "MemoryPressure False KubeletHasSufficientMemory", "DiskPressure False KubeletHasNoDiskPressure",
                "PIDPressure False KubeletHasSufficientPID", "Ready True KubeletReady",
            ])
        #expect(conditions.allSatisfy { $0.lastHeartbeatTime == Timestamp(seconds: 100) })
    }

    @Test("a problem shows in its condition, with what is wrong", arguments: NodeProblem.Condition.allCases)
    func problems(kind: NodeProblem.Condition) throws {
        let node = build(problems: [
            NodeProblem(condition: kind, message: "first"), NodeProblem(condition: kind, message: "second"),
        ])
        let shown = node.status?.conditions?.first { $0.type == kind.rawValue }
        let condition = try #require(shown)
        #expect(condition.status == (kind == .notReady ? "False" : "True"))
        #expect(condition.message == "first; second")
        let reasons: [NodeProblem.Condition: String] = [
            .memoryPressure: "KubeletHasInsufficientMemory", .diskPressure: "KubeletHasDiskPressure",
            .pidPressure: "KubeletHasInsufficientPID", .notReady: "KubeletNotReady",
        ]
        #expect(condition.reason == reasons[kind])
    }

    @Test("what the host cannot enforce is a condition of its own; the node stays Ready")
    func shortfalls() {
        let node = build(shortfalls: ["No cpu controller.", "No nftables."])
        let condition = self.condition("swiftlet.dev/ResourcesEnforced", node)
        #expect(condition?.status == "False")
        #expect(condition?.message == "No cpu controller.; No nftables.")
        #expect(node.status?.conditions?.last?.type == "Ready")
        #expect(node.status?.conditions?.last?.status == "True")
    }

    @Test("the largest fifty images are told, names by digest first, five each")
    func images() {
        let images =
            (0..<60).map { ContainerImage(names: ["i\($0)"], sizeBytes: Int64($0)) }
            + [ContainerImage(names: ["a:1", "a@x", "a:2", "a:3", "a:4", "a:5"], sizeBytes: 100)]
        let told = build(images: images).status?.images ?? []
        #expect(told.count == 50)
        #expect(told.first?.names == ["a@x", "a:1", "a:2", "a:3", "a:4"])
        #expect(told.dropFirst().first?.names == ["i59"])
    }
}
