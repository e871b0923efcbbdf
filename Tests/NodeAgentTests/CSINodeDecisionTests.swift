import KubernetesAPI
import Testing
import Volumes

@testable import NodeAgent

@Suite("What the API is to know of a node's storage drivers")
struct CSINodeDecisionTests {
    private static let owner = OwnerReference(apiVersion: "v1", kind: "Node", name: "n1", uid: "u1")
    private static let disks = DriverIdentity(
        name: "disks.example.org", nodeID: "rack-7", topology: ["example.org/rack": "7"], maximumVolumes: 16)
    private static let files = DriverIdentity(name: "files.example.org", nodeID: "seven")

    private static func inventory(_ drivers: [DriverIdentity], isComplete: Bool = true) -> DriverInventory {
        DriverInventory(drivers: drivers, isComplete: isComplete)
    }

    @Test("the object comes with the first driver, names what each says, and is left alone while nothing changes")
    func coming() throws {
        func decide(_ existing: CSINode?, _ inventory: DriverInventory) -> CSINode? {
            CSINodeDecision.object(existing: existing, node: Self.owner, inventory: inventory)
        }
        #expect(decide(nil, Self.inventory([])) == nil)
        let made = try #require(decide(nil, Self.inventory([Self.disks, Self.files])))
        #expect(made.metadata.name == "n1")
        #expect(made.metadata.ownerReferences == [Self.owner])
        #expect(made.spec.drivers.map(\.name) == ["disks.example.org", "files.example.org"])
        #expect(made.spec.drivers.first?.nodeID == "rack-7")
        #expect(made.spec.drivers.first?.topologyKeys == ["example.org/rack"])
        #expect(made.spec.drivers.first?.allocatable?.count == 16)
        #expect(made.spec.drivers.last?.topologyKeys == nil)
        #expect(made.spec.drivers.last?.allocatable == nil)
        #expect(made.validate().isEmpty)
        #expect(decide(made, Self.inventory([Self.disks, Self.files])) == nil)
    }

    @Test("a driver goes when it is known to be gone, not while some have not been heard")
    func going() throws {
        let both = try #require(
            CSINodeDecision.object(
                existing: nil, node: Self.owner, inventory: Self.inventory([Self.disks, Self.files])))
        let unsure = Self.inventory([Self.files], isComplete: false)
        #expect(CSINodeDecision.object(existing: both, node: Self.owner, inventory: unsure) == nil)
        let one = CSINodeDecision.object(existing: both, node: Self.owner, inventory: Self.inventory([Self.files]))
        #expect(one?.spec.drivers.map(\.name) == ["files.example.org"])
        let none = CSINodeDecision.object(existing: both, node: Self.owner, inventory: Self.inventory([]))
        #expect(none?.spec.drivers == [])
        var anew = Self.owner
        anew.uid = "u2"
        let adopted = CSINodeDecision.object(
            existing: both, node: anew, inventory: Self.inventory([Self.disks, Self.files]))
        #expect(adopted?.metadata.ownerReferences == [anew])
    }

    @Test("the Node gets the topology as labels and the names of itself; what is set otherwise stays, and is told")
    func node() {
        var node = Node(metadata: ObjectMeta(name: "n1"))
        func decide(_ inventory: DriverInventory) -> (patch: JSONValue?, collisions: [String]) {
            CSINodeDecision.patch(of: node, inventory: inventory)
        }
        #expect(decide(Self.inventory([])).patch == nil)
        let all = Self.inventory([Self.disks, Self.files])
        let ids = #"{"disks.example.org":"rack-7","files.example.org":"seven"}"#
        #expect(
            decide(all).patch == [
                "metadata": [
                    "labels": ["example.org/rack": "7"],
                    "annotations": ["csi.volume.kubernetes.io/nodeid": .string(ids)],
                ]
            ])
        node.metadata.annotations = ["csi.volume.kubernetes.io/nodeid": ids]
        node.metadata.labels = ["example.org/rack": "7"]
        #expect(decide(all).patch == nil)
        #expect(decide(Self.inventory([Self.files], isComplete: false)).patch == nil)
        #expect(
            decide(Self.inventory([])).patch
                == ["metadata": ["annotations": ["csi.volume.kubernetes.io/nodeid": .null]]])
        node.metadata.labels = ["example.org/rack": "8"]
        let (patch, collisions) = decide(all)
        #expect(patch == nil)
        #expect(
            collisions == [
                "detected topology value collision: driver disks.example.org reported \"example.org/rack\":\"7\" but "
                    + "existing label is \"example.org/rack\":\"8\""
            ])
    }
}
