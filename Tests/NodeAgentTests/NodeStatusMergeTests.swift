import KubernetesAPI
import Testing

@testable import NodeAgent

@Suite("What a node's status becomes in the API")
struct NodeStatusMergeTests {
    private func condition(_ type: String, _ status: String, at seconds: Int64) -> NodeCondition {
        NodeCondition(
            type: type, status: status, lastHeartbeatTime: Timestamp(seconds: seconds),
            lastTransitionTime: Timestamp(seconds: seconds))
    }

    private let existing = NodeStatus(
        capacity: ["cpu": .cores(2), "example.com/gpu": .count(3)], allocatable: ["cpu": .cores(2)],
        conditions: [
            NodeCondition(type: "NetworkUnavailable", status: "False"),
            NodeCondition(
                type: "Ready", status: "True", lastHeartbeatTime: Timestamp(seconds: 1),
                lastTransitionTime: Timestamp(seconds: 1)),
            NodeCondition(type: "swiftlet.dev/ResourcesEnforced", status: "False"),
        ],
        addresses: [
            NodeAddress(type: "InternalIP", address: "192.0.2.1"), NodeAddress(type: "Hostname", address: "n"),
        ],
        volumesAttached: [AttachedVolume(name: "v")])

    private func merge(_ status: String, renewsHeartbeat: Bool = false) -> NodeStatus {
        NodeStatusMerge.merge(
            NodeStatus(
                capacity: ["cpu": .cores(4)], allocatable: ["cpu": .cores(3)],
                conditions: [condition("Ready", status, at: 9)], addresses: existing.addresses),
            over: existing, renewsHeartbeat: renewsHeartbeat)
    }

    @Test("resources and conditions of others are kept, our own old ones are not")
    func foreign() {
        let merged = merge("True")
        #expect(merged.capacity == ["cpu": .cores(4), "example.com/gpu": .count(3)])
        #expect(merged.allocatable == ["cpu": .cores(3), "example.com/gpu": .count(3)])
        #expect(Set(merged.conditions?.map(\.type) ?? []) == ["Ready", "NetworkUnavailable"])
        #expect(merged.volumesAttached == existing.volumesAttached)
    }

    @Test("a transition time moves with the status, a heartbeat when it is renewed")
    func times() {
        func ready(_ status: NodeStatus) -> NodeCondition? { status.conditions?.first { $0.type == "Ready" } }
        #expect(ready(merge("True"))?.lastTransitionTime == Timestamp(seconds: 1))
        #expect(ready(merge("True"))?.lastHeartbeatTime == Timestamp(seconds: 1))
        #expect(ready(merge("True", renewsHeartbeat: true))?.lastHeartbeatTime == Timestamp(seconds: 9))
        #expect(ready(merge("False"))?.lastTransitionTime == Timestamp(seconds: 9))
    }

    @Test("a patch makes the API hold exactly what is wanted, two addresses of one type included")
    func patch() throws {
        var wanted = merge("False", renewsHeartbeat: true)
        wanted.addresses = [
            NodeAddress(type: "InternalIP", address: "192.0.2.9"), NodeAddress(type: "InternalIP", address: "::9"),
        ]
        let patch = try #require(NodeStatusMerge.patch(from: existing, to: wanted))
        let object = try JSONValueEncoder().encode(Node(status: existing))
        let patched = try StrategicMergePatch.apply(patch, to: object, as: Node.self)
        let status = try #require(try JSONValueDecoder().decode(Node.self, from: patched).status)
        #expect(status.addresses == wanted.addresses)
        #expect(Set(status.conditions ?? []) == Set(wanted.conditions ?? []))
        #expect(status.capacity == wanted.capacity)
        #expect(NodeStatusMerge.patch(from: wanted, to: wanted) == nil)
    }

    @Test("an object that was there gets what it lacks and keeps the rest")
    func metadata() {
        var (old, new) = (Node(), Node())
        old.metadata.labels = ["a": "1", "b": "2"]
        old.spec.podCIDR = "10.0.0.0/24"
        new.metadata.labels = ["a": "1", "b": "3", "c": "4"]
        new.spec.podCIDR = "10.9.0.0/24"
        #expect(NodeStatusMerge.metadataPatch(from: old, to: new) == ["metadata": ["labels": ["b": "3", "c": "4"]]])
        old.spec.podCIDR = nil
        old.metadata.labels = new.metadata.labels
        #expect(
            NodeStatusMerge.metadataPatch(from: old, to: new)
                == ["spec": ["podCIDR": "10.9.0.0/24", "podCIDRs": ["10.9.0.0/24"]]])
        #expect(NodeStatusMerge.metadataPatch(from: new, to: new) == nil)
    }

    @Test("volumes in use are the node's to tell: none clears them, and while it does not know they stay")
    func volumesInUse() {
        func merged(_ reported: [String]?) -> [String]? {
            NodeStatusMerge.merge(
                NodeStatus(volumesInUse: reported), over: NodeStatus(volumesInUse: ["a"]), renewsHeartbeat: false
            ).volumesInUse
        }
        #expect(merged(nil) == ["a"])
        #expect(merged([]) == nil)
        #expect(merged(["b"]) == ["b"])
    }
}
