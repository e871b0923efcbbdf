import KubernetesAPI
import Testing

@testable import KubernetesClient

@Suite("Pending informer events")
struct PendingInformerEventsTests {
    private func drained(_ events: [InformerEvent<ConfigMap>]) -> [InformerEvent<ConfigMap>] {
        var pending = PendingInformerEvents<ConfigMap>()
        for event in events { pending.append(event) }
        var result: [InformerEvent<ConfigMap>] = []
        while let event = pending.popFirst() { result.append(event) }
        return result
    }

    private let a1 = configMap("a", version: "1")
    private let a2 = configMap("a", version: "2")
    private let a3 = configMap("a", version: "3")
    private let other = configMap("a", version: "9", uid: "u2")

    @Test("many changes of one object become one from the first to the last")
    func folds() {
        #expect(
            drained([.applied(old: a1, new: a2), .applied(old: a2, new: a3)]) == [.applied(old: a1, new: a3)])
    }

    @Test("a change followed by the end is only the end")
    func deleted() {
        #expect(drained([.applied(old: nil, new: a1), .deleted(a2)]) == [.deleted(a2)])
    }

    @Test("an object deleted and made again is told as both, however often it happened")
    func replaced() {
        let once: [InformerEvent<ConfigMap>] = [.deleted(a1), .applied(old: nil, new: other)]
        #expect(drained(once) == once)
        let last = configMap("a", version: "12", uid: "u3")
        #expect(
            drained(once + [.deleted(other), .applied(old: nil, new: last)])
                == [.deleted(a1), .applied(old: nil, new: last)])
    }

    @Test("the end of the initial list comes after every object told before it")
    func marker() {
        let b = configMap("b", version: "2")
        #expect(
            drained([
                .applied(old: nil, new: a1), .initialListDone, .applied(old: nil, new: b), .applied(old: a1, new: a2),
            ])
                == [.applied(old: nil, new: a2), .initialListDone, .applied(old: nil, new: b)])
    }

    @Test("a reader that never reads holds one entry per object")
    func bounded() {
        var pending = PendingInformerEvents<ConfigMap>()
        for version in 1...5_000 {
            pending.append(.applied(old: nil, new: configMap("a", version: "\(version)")))
            pending.append(.undecodable(UndecodableObject(key: nil, uid: nil, resourceVersion: nil, message: "x")))
        }
        #expect(pending.count == 2)
    }
}
