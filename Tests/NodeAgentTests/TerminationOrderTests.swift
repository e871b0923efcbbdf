import Testing

@testable import NodeAgent

struct TerminationOrderTests {
    private typealias Fixture = LifecycleFixture

    @Test("a sidecar waits for the pod's own containers and for later sidecars; nothing else waits")
    func order() {
        let order = TerminationOrder(
            Fixture.pod(
                inits: [Fixture.sidecar("s1"), Fixture.container("i"), Fixture.sidecar("s2")],
                apps: [Fixture.container("a"), Fixture.container("b")]))
        #expect(order.predecessors(of: "s2") == ["a", "b"])
        #expect(order.predecessors(of: "s1") == ["a", "b", "s2"])
        for name in ["a", "b", "i", "debugger"] { #expect(order.predecessors(of: name).isEmpty) }
    }
}
