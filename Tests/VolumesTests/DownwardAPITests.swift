import KubernetesAPI
import Testing

@testable import Volumes

@Suite struct DownwardAPITests {
    private let pod = Pod(
        metadata: ObjectMeta(
            name: "web", namespace: "shop", uid: "u-1", labels: ["b": "2", "a": "1"],
            annotations: ["note": "tab\t quote\" slash\\ é \u{1}\u{2028}"]),
        spec: PodSpec(
            initContainers: [Container(name: "init")],
            containers: [
                Container(
                    name: "main",
                    resources: ResourceRequirements(
                        limits: ["cpu": .milli(1500), "memory": .bytes(64 << 20)], requests: ["cpu": .milli(100)]))
            ],
            serviceAccountName: "robot"))

    private func field(_ path: String, _ placement: DownwardAPI.Placement? = nil) throws -> String {
        try DownwardAPI.fieldValue(ObjectFieldSelector(fieldPath: path), of: pod, placement: placement)
    }

    private func resource(_ name: String, divisor: Quantity? = nil, container: String = "main") throws -> String {
        try DownwardAPI.resourceValue(
            ResourceFieldSelector(containerName: container, resource: name, divisor: divisor), of: pod,
            nodeAllocatable: ["cpu": .milli(3500), "memory": .bytes(1 << 30), "ephemeral-storage": .bytes(1 << 40)])
    }

    @Test(
        "metadata fields",
        arguments: [
            ("metadata.name", "web"), ("metadata.namespace", "shop"), ("metadata.uid", "u-1"),
            ("metadata.labels['a']", "1"), ("metadata.labels['absent']", ""),
            ("metadata.labels", "a=\"1\"\nb=\"2\""),
            ("metadata.annotations", #"note="tab\t quote\" slash\\ é \x01\u2028""#),
        ])
    func metadata(_ path: String, _ expected: String) throws {
        #expect(try field(path) == expected)
    }

    @Test("placement fields exist only where there is a placement")
    func placement() throws {
        let placement = DownwardAPI.Placement(
            nodeName: "n1", podIPs: ["10.0.0.2", "fd00::2"], hostIPs: ["192.0.2.1", "fd00::1"])
        let expected = [
            "spec.nodeName": "n1", "spec.serviceAccountName": "robot", "status.hostIP": "192.0.2.1",
            "status.hostIPs": "192.0.2.1,fd00::1", "status.podIP": "10.0.0.2", "status.podIPs": "10.0.0.2,fd00::2",
        ]
        for (path, value) in expected {
            #expect(try field(path, placement) == value)
            #expect(throws: DownwardAPIError("unsupported fieldPath: \"\(path)\"")) { try field(path) }
        }
        #expect(throws: DownwardAPIError.self) { try field("spec.containers", placement) }
        #expect(throws: DownwardAPIError.self) { try field("spec.x['y']", placement) }
    }

    @Test("resources in units of the divisor, rounded up; unset limits are the node's, unset requests 0")
    func resources() throws {
        #expect(try resource("limits.cpu") == "2")
        #expect(try resource("limits.cpu", divisor: .milli(1)) == "1500")
        #expect(try resource("requests.cpu") == "1")
        #expect(try resource("limits.memory") == "67108864")
        #expect(try resource("limits.memory", divisor: .bytes(1 << 20)) == "64")
        #expect(try resource("limits.memory", divisor: .bytes(1 << 30)) == "1")
        #expect(try resource("requests.memory") == "0")
        #expect(try resource("limits.ephemeral-storage", divisor: .bytes(1 << 30)) == "1024")
        #expect(try resource("limits.cpu", container: "init") == "4")
        #expect(try resource("limits.hugepages-2Mi") == "0")
    }

    @Test("what does not exist is named")
    func unknownResources() {
        #expect(throws: DownwardAPIError("container other not found")) {
            try resource("limits.cpu", container: "other")
        }
        #expect(throws: DownwardAPIError.self) { try resource("limits.gpu") }
        #expect(throws: DownwardAPIError.self) { try resource("usage.cpu") }
        #expect(throws: DownwardAPIError.self) { try resource("cpu") }
        #expect(throws: DownwardAPIError.self) { try resource("limits.cpu", divisor: .count(-1)) }
    }
}
