import KubernetesAPI
import Testing

@testable import KubernetesClient

@Suite("Reflector machine")
struct ReflectorStateMachineTests {
    typealias Machine = ReflectorStateMachine<ConfigMap>

    private let a10 = configMap("a", version: "10")
    private let b11 = configMap("b", version: "11")
    private static let expired = APIError(code: .http(410), reason: .expired, message: "too old")
    private static let lost = APIError(code: .transport(.connectionLost), message: "lost")

    /// A machine watching from version 20 with `a` (10) and `b` (11).
    private func watching() -> Machine {
        var machine = Machine()
        _ = machine.start()
        _ = machine.listed(ResourceList(items: [a10, b11], resourceVersion: "20"), random: 0.5)
        return machine
    }

    @Test("it lists from the cache, tells every object, then the end of the list, then watches from its version")
    func initial() {
        var machine = Machine()
        #expect(machine.start() == .list(resourceVersion: "0"))
        #expect(!machine.hasSynced)
        let (events, step) = machine.listed(ResourceList(items: [a10, b11], resourceVersion: "20"), random: 0.5)
        #expect(events == [.applied(old: nil, new: a10), .applied(old: nil, new: b11), .initialListDone])
        #expect(step == .watch(resourceVersion: "20"))
        #expect(machine.hasSynced)
    }

    @Test("nothing is kept, or told, of who manages which field")
    func managers() {
        var machine = Machine()
        _ = machine.start()
        var listed = a10
        listed.metadata.managedFields = [ManagedFieldsEntry(manager: "kubectl", fieldsV1: .object(["f:data": .null]))]
        var (events, _) = machine.listed(ResourceList(items: [listed], resourceVersion: "20"), random: 0.5)
        #expect(events == [.applied(old: nil, new: a10), .initialListDone])
        var changed = configMap("a", version: "21", value: "new")
        changed.metadata.managedFields = listed.metadata.managedFields
        events = machine.received(.modified(changed))
        #expect(events == [.applied(old: a10, new: configMap("a", version: "21", value: "new"))])
        #expect(machine.objects.values.allSatisfy { $0.metadata.managedFields == nil })
        var gone = configMap("a", version: "22")
        gone.metadata.managedFields = listed.metadata.managedFields
        #expect(machine.received(.deleted(gone)) == [.deleted(configMap("a", version: "22"))])
    }

    @Test("changes are told with the state before them and move the version on")
    func changes() {
        var machine = watching()
        let a21 = configMap("a", version: "21", value: "new")
        let c22 = configMap("c", version: "22", uid: "u3")
        let b23 = configMap("b", version: "23")
        #expect(machine.received(.modified(a21)) == [.applied(old: a10, new: a21)])
        #expect(machine.received(.added(c22)) == [.applied(old: nil, new: c22)])
        #expect(machine.received(.deleted(b23)) == [.deleted(b23)])
        #expect(Set(machine.objects.keys.map(\.name)) == ["a", "c"])
        #expect(machine.resourceVersion == "23")
    }

    @Test(
        "duplicates and late events change nothing",
        arguments: [
            ResourceWatchEvent.added(configMap("a", version: "10")),
            .modified(configMap("a", version: "10", value: "other text, same version")),
            .modified(configMap("a", version: "9", value: "older")),
            .added(configMap("gone-before-the-list", version: "15", uid: "u9")),
            .deleted(configMap("a", version: "9")),
            .deleted(configMap("a", version: "25", uid: "uid of an earlier a")),
            .deleted(configMap("unknown", version: "25")),
            .bookmark(resourceVersion: ""),
        ])
    func stale(event: ResourceWatchEvent<ConfigMap>) {
        var machine = watching()
        let before = machine.objects
        #expect(machine.received(event) == [])
        #expect(machine.objects == before)
    }

    @Test("a late change does not bring a deleted object back, a new object of its name does come")
    func resurrection() {
        var machine = watching()
        _ = machine.received(.deleted(configMap("a", version: "30")))
        #expect(machine.received(.modified(configMap("a", version: "25"))) == [])
        let new = configMap("a", version: "31", uid: "u2")
        #expect(machine.received(.added(new)) == [.applied(old: nil, new: new)])
    }

    @Test("events of different objects may overtake each other")
    func reordered() {
        var machine = watching()
        let b23 = configMap("b", version: "23")
        let a22 = configMap("a", version: "22")
        #expect(machine.received(.modified(b23)).count == 1)
        #expect(machine.received(.modified(a22)).count == 1)
        #expect(machine.resourceVersion == "23")
    }

    @Test("an object replaced by another of its name is told as deleted and made")
    func replaced() {
        var machine = watching()
        let new = configMap("a", version: "40", uid: "u2")
        #expect(machine.received(.modified(new)) == [.deleted(a10), .applied(old: nil, new: new)])
    }

    @Test("a bookmark only moves the version on, and never back")
    func bookmark() {
        var machine = watching()
        #expect(machine.received(.bookmark(resourceVersion: "50")) == [])
        #expect(machine.received(.bookmark(resourceVersion: "45")) == [])
        let step = machine.watchEnded(nil, lasted: .seconds(300), receivedEvents: true, random: 0.5)
        #expect(step == .watch(resourceVersion: "50"))
    }

    @Test("an expired version leads to a fresh list, whose absences are deletions")
    func expired() {
        var machine = watching()
        let step = machine.watchEnded(Self.expired, lasted: .seconds(60), receivedEvents: true, random: 0.5)
        #expect(step == .list(resourceVersion: ""))
        #expect(machine.objects.count == 2)
        let c = configMap("c", version: "70", uid: "u3")
        let (events, next) = machine.listed(ResourceList(items: [a10, c], resourceVersion: "80"), random: 0.5)
        #expect(events == [.applied(old: nil, new: c), .deleted(b11)])
        #expect(next == .watch(resourceVersion: "80"))
    }

    @Test("versions that expire at once are not listed again in a tight loop")
    func expiredAtOnce() {
        var machine = watching()
        for wait in [nil, 800, 1_600] {
            let step = machine.watchEnded(Self.expired, lasted: .zero, receivedEvents: false, random: 0.5)
            #expect(step == wait.map { .wait(.milliseconds($0)) } ?? .list(resourceVersion: ""))
            if wait != nil { #expect(machine.waited() == .list(resourceVersion: "")) }
            _ = machine.listed(ResourceList(items: [a10, b11], resourceVersion: "21"), random: 0.5)
        }
    }

    @Test("a server that was long away and has forgotten the version is listed at once")
    func expiredAfterAbsence() {
        var machine = watching()
        let away = APIError(code: .transport(.unreachable), message: "away")
        for _ in 0..<9 {
            _ = machine.watchEnded(away, lasted: .zero, receivedEvents: false, random: 0.5)
            _ = machine.waited()
        }
        let step = machine.watchEnded(Self.expired, lasted: .zero, receivedEvents: false, random: 0.5)
        #expect(step == .list(resourceVersion: ""))
    }

    @Test("a broken watch continues where it was, later each time, and loses nothing from the store")
    func disconnected() {
        var machine = watching()
        _ = machine.received(.modified(configMap("a", version: "33")))
        for (index, milliseconds) in [800, 1_600, 3_200].enumerated() {
            let step = machine.watchEnded(
                Self.lost, lasted: .zero, receivedEvents: index == 0, random: 0.5)
            #expect(step == .wait(.milliseconds(milliseconds)))
            #expect(machine.waited() == .watch(resourceVersion: "33"))
        }
        #expect(machine.objects.count == 2)
    }

    @Test("a failing list keeps everything and honours Retry-After")
    func listFails() {
        var machine = watching()
        _ = machine.watchEnded(Self.expired, lasted: .seconds(9), receivedEvents: true, random: 0.5)
        let busy = APIError(code: .http(429), reason: .tooManyRequests, message: "busy", retryAfterSeconds: 40)
        guard case .wait(let delay) = machine.listFailed(busy, random: 0) else {
            Issue.record("expected a wait")
            return
        }
        #expect(delay == .seconds(40))
        #expect(machine.objects.count == 2)
        #expect(machine.hasSynced)
        #expect(machine.waited() == .list(resourceVersion: ""))
    }

    @Test("a server that refuses this very watch is listed again, one that is busy is not", arguments: [400, 500, 504])
    func refused(status: Int) {
        var machine = watching()
        let refusal = APIError(code: .http(status), message: "no")
        _ = machine.watchEnded(refusal, lasted: .zero, receivedEvents: false, random: 0.5)
        #expect(machine.waited() == .list(resourceVersion: ""))
        var other = watching()
        _ = other.watchEnded(
            APIError(code: .http(503), message: "no"), lasted: .zero, receivedEvents: false, random: 0.5)
        #expect(other.waited() == .watch(resourceVersion: "20"))
    }

    @Test("a watch that ends at once without a word is not repeated at once")
    func emptyWatch() {
        var machine = watching()
        let step = machine.watchEnded(nil, lasted: .milliseconds(10), receivedEvents: false, random: 0.5)
        #expect(step == .wait(.milliseconds(800)))
    }

    @Test("an unreadable item keeps the last readable state and the rest of the list counts")
    func unreadableItem() {
        var machine = watching()
        _ = machine.watchEnded(Self.expired, lasted: .seconds(9), receivedEvents: true, random: 0.5)
        let bad = UndecodableObject(
            key: ObjectKey(namespace: "ns", name: "a"), uid: "u1", resourceVersion: "70", message: "data: x")
        let (events, _) = machine.listed(
            ResourceList(items: [], undecodable: [bad], resourceVersion: "80"), random: 0.5)
        #expect(events == [.undecodable(bad), .deleted(b11)])
        #expect(machine.objects == [ObjectKey(namespace: "ns", name: "a"): a10])
    }

    @Test("with an item that has not even a name nothing counts as deleted")
    func namelessItem() {
        var machine = watching()
        _ = machine.watchEnded(Self.expired, lasted: .seconds(9), receivedEvents: true, random: 0.5)
        let bad = UndecodableObject(key: nil, uid: nil, resourceVersion: nil, message: "not an object")
        let (events, _) = machine.listed(
            ResourceList(items: [], undecodable: [bad], resourceVersion: "80"), random: 0.5)
        #expect(events == [.undecodable(bad)])
        #expect(machine.objects.count == 2)
    }

    @Test("an unreadable deletion still deletes, an unreadable change is only reported")
    func unreadableEvents() {
        var machine = watching()
        let bad = UndecodableObject(
            key: ObjectKey(namespace: "ns", name: "a"), uid: "u1", resourceVersion: "70", message: "data: x")
        #expect(machine.received(.undecodable(bad, change: .modified)) == [.undecodable(bad)])
        #expect(machine.objects.count == 2)
        #expect(machine.received(.undecodable(bad, change: .deleted)) == [.deleted(a10)])
        #expect(machine.objects.count == 1)
    }

    @Test("a list without a version is used but not watched from")
    func listWithoutVersion() {
        var machine = Machine()
        _ = machine.start()
        let (events, step) = machine.listed(ResourceList(items: [a10], resourceVersion: ""), random: 0.5)
        #expect(events.count == 2)
        #expect(step == .wait(.milliseconds(800)))
    }
}

/// A server that was restored from an older backup, or has lost its store.
@Suite("Reflector machine with a deletion brake")
struct ReflectorDeletionBrakeTests {
    typealias Machine = ReflectorStateMachine<ConfigMap>

    private let names = ["a", "b", "c", "d", "e"]

    /// A machine that has `a` to `e` of version 20 and lists again.
    private func listing(_ brake: DeletionBrake? = DeletionBrake()) -> Machine {
        var machine = Machine(brake: brake)
        _ = machine.start()
        let items = names.map { configMap($0, version: "20", uid: "u" + $0) }
        _ = machine.listed(ResourceList(items: items, resourceVersion: "20"), random: 0.5)
        return listAgain(machine)
    }

    private func listAgain(_ old: Machine) -> Machine {
        var machine = old
        _ = machine.watchEnded(
            APIError(code: .http(410), reason: .expired, message: "too old"), lasted: .seconds(1), receivedEvents: true,
            random: 0.5)
        return machine
    }

    private func deleted(_ events: [InformerEvent<ConfigMap>]) -> [String] {
        events.compactMap { if case .deleted(let map) = $0 { map.metadata.name } else { nil } }.sorted()
    }

    private func list(_ present: [String], version: String) -> ResourceList<ConfigMap> {
        ResourceList(items: present.map { configMap($0, version: "20", uid: "u" + $0) }, resourceVersion: version)
    }

    @Test("without a brake every complete list is believed")
    func none() {
        var machine = listing(nil)
        #expect(deleted(machine.listed(list([], version: "30"), random: 0.5).events) == names)
    }

    @Test("half of them, or two, may go at once", arguments: [["a", "b", "c"], ["a", "b", "c", "d"]])
    func few(present: [String]) {
        var machine = listing()
        let events = machine.listed(list(present, version: "30"), random: 0.5).events
        #expect(deleted(events) == names.filter { !present.contains($0) })
        #expect(machine.watchLimit == nil)
    }

    @Test("more than half, and three at least, are kept for five minutes of undisturbed watching, then believed")
    func many() {
        var machine = listing()
        let (events, step) = machine.listed(list(["a", "b"], version: "30"), random: 0.5)
        #expect(deleted(events) == [])
        #expect(machine.objects.count == 5)
        #expect(step == .watch(resourceVersion: "30"))
        #expect(machine.watchLimit == .seconds(300))
        #expect(machine.watchEnded(nil, lasted: .seconds(100), receivedEvents: false, random: 0.5) == step)
        #expect(machine.watchLimit == .seconds(200))
        let again = machine.watchEnded(nil, lasted: .seconds(200), receivedEvents: false, random: 0.5)
        #expect(again == .list(resourceVersion: ""))
        #expect(deleted(machine.listed(list(["a", "b"], version: "31"), random: 0.5).events) == ["c", "d", "e"])
        #expect(machine.watchLimit == nil)
    }

    @Test("what was missing and is back is kept, and the brake is off")
    func back() {
        var machine = listing()
        _ = machine.listed(list([], version: "30"), random: 0.5)
        machine = listAgain(machine)
        #expect(deleted(machine.listed(list(names, version: "40"), random: 0.5).events) == [])
        #expect(machine.held.isEmpty)
        #expect(machine.watchLimit == nil)
    }

    @Test("a server that has lost its memory is not believed about a single one, however long it insists")
    func regressed() {
        var machine = listing()
        #expect(deleted(machine.listed(list(["a", "b", "c", "d"], version: "12"), random: 0.5).events) == [])
        for _ in 0..<3 {
            _ = machine.watchEnded(nil, lasted: .seconds(300), receivedEvents: false, random: 0.5)
            #expect(deleted(machine.listed(list(["a", "b", "c", "d"], version: "13"), random: 0.5).events) == [])
        }
        _ = machine.watchEnded(nil, lasted: .seconds(300), receivedEvents: false, random: 0.5)
        #expect(deleted(machine.listed(list(["a", "b", "c", "d"], version: "21"), random: 0.5).events) == ["e"])
    }

    @Test("while kept, an event of deletion is believed whatever its version")
    func event() {
        var machine = listing()
        _ = machine.listed(list([], version: "12"), random: 0.5)
        #expect(deleted(machine.received(.deleted(configMap("b", version: "13", uid: "ub")))) == ["b"])
        #expect(deleted(machine.received(.deleted(configMap("c", version: "13", uid: "another")))) == [])
        #expect(machine.held.map(\.name).sorted() == ["a", "c", "d", "e"])
    }

    @Test("while kept, a new object of the name replaces the old one whatever its version")
    func replaced() {
        var machine = listing()
        _ = machine.listed(list([], version: "12"), random: 0.5)
        let new = configMap("b", version: "13", uid: "new")
        let events = machine.received(.added(new))
        #expect(deleted(events) == ["b"])
        #expect(events.contains(.applied(old: nil, new: new)))
        #expect(machine.held.map(\.name).sorted() == ["a", "c", "d", "e"])
    }
}
