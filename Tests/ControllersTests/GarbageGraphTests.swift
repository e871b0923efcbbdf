import KubernetesAPI
import KubernetesClient
import Testing

@testable import Controllers

@Suite("What becomes of objects whose owners go")
struct GarbageGraphTests {
    private static func node(
        _ uid: String, owners: [String] = [], finalizers: [String] = [], leaving: Bool = false,
        namespace: String = "ns",
        blocking: Bool = true
    ) -> GarbageGraph.Node {
        GarbageGraph.Node(
            definition: ConfigMap.definition, key: ObjectKey(namespace: namespace, name: uid), uid: uid,
            resourceVersion: "1",
            owners: owners.map {
                OwnerReference(
                    apiVersion: "v1", kind: "ConfigMap", name: $0, uid: $0, blockOwnerDeletion: blocking)
            }, finalizers: finalizers, isLeaving: leaving)
    }

    private static func graph(_ nodes: GarbageGraph.Node...) -> GarbageGraph {
        var graph = GarbageGraph()
        for node in nodes { _ = graph.apply(node) }
        return graph
    }

    @Test("an object whose only owner is gone is deleted; one that never had an owner stays")
    func background() {
        let graph = Self.graph(Self.node("child", owners: ["parent"]), Self.node("free"))
        #expect(graph.decide("child", absent: ["parent"]) == .delete(policy: "Background"))
        #expect(graph.decide("free", absent: []) == nil)
    }

    @Test("nothing is deleted on a guess: an owner that is not known counts as there")
    func unknown() {
        let graph = Self.graph(Self.node("child", owners: ["parent"]))
        #expect(graph.unknownOwners(of: "child").map(\.uid) == ["parent"])
        #expect(graph.decide("child", absent: []) == nil)
    }

    @Test("with one owner left an object stays, without the reference to the other")
    func oneLeft() {
        let graph = Self.graph(Self.node("a"), Self.node("child", owners: ["a", "b"]))
        #expect(graph.decide("child", absent: ["b"]) == .dropOwners(uids: ["b"]))
    }

    @Test("the end of an owner brings a look at what it owned")
    func follows() {
        var graph = Self.graph(Self.node("parent"), Self.node("child", owners: ["parent"]))
        #expect(graph.remove("parent") == ["child"])
    }

    @Test("an orphaning deletion lets go of what the object owned and then lets it go")
    func orphan() {
        var graph = Self.graph(
            Self.node("parent", finalizers: ["orphan"], leaving: true), Self.node("child", owners: ["parent"]))
        #expect(graph.decide("parent", absent: []) == .release(uids: ["child"]))
        _ = graph.apply(Self.node("child"))
        #expect(graph.decide("parent", absent: []) == .removeFinalizer("orphan"))
    }

    @Test("a foreground deletion takes what blocks first, each with what it owns itself")
    func foreground() {
        var graph = Self.graph(
            Self.node("parent", finalizers: ["foregroundDeletion"], leaving: true),
            Self.node("child", owners: ["parent"]), Self.node("grandchild", owners: ["child"]))
        #expect(graph.decide("parent", absent: []) == .visit(uids: ["child"]))
        #expect(graph.decide("child", absent: []) == .delete(policy: "Foreground"))
        _ = graph.remove("grandchild")
        #expect(graph.decide("child", absent: []) == .delete(policy: "Background"))
        #expect(graph.remove("child").contains("parent"))
        #expect(graph.decide("parent", absent: []) == .removeFinalizer("foregroundDeletion"))
    }

    @Test("an owner in another namespace is no owner")
    func otherNamespace() {
        let graph = Self.graph(Self.node("parent", namespace: "other"), Self.node("child", owners: ["parent"]))
        #expect(graph.decide("child", absent: []) == .delete(policy: "Background"))
    }

    @Test("objects that own each other do not hold the collector up")
    func cycle() {
        let graph = Self.graph(Self.node("a", owners: ["b"]), Self.node("b", owners: ["a"]))
        #expect(graph.decide("a", absent: []) == nil && graph.decide("b", absent: []) == nil)
    }
}
