import KubernetesAPI
import Testing

@testable import KubernetesClient

@Suite("Event correlator")
struct EventCorrelatorTests {
    private var correlator = EventCorrelator(component: "kubelet", host: "n1")
    private let pod = ObjectReference(kind: "Pod", namespace: "ns", name: "web", uid: "u1", resourceVersion: "5")
    private let wall = Timestamp(seconds: 1_000)

    private func observation(_ message: String, reason: String = "BackOff", of object: ObjectReference? = nil)
        -> EventObservation
    {
        EventObservation(object: object ?? pod, type: .warning, reason: reason, message: message)
    }

    private static func sent(_ write: EventWrite?) throws -> EventWrite { try #require(write) }

    @Test("the first observation is an event with all its fields")
    mutating func first() throws {
        let write = try Self.sent(correlator.observe(observation("m"), now: .zero, wall: wall))
        guard case .create(let event) = write else {
            Issue.record("expected a creation")
            return
        }
        #expect(event.metadata.namespace == "ns")
        #expect(event.metadata.name == "web.e8d4a51000")
        #expect(event.involvedObject == pod)
        #expect(event.source == EventSource(component: "kubelet", host: "n1"))
        #expect(event.reportingComponent == "kubelet")
        #expect(event.count == 1)
        #expect(event.type == "Warning")
        #expect(event.firstTimestamp == wall)
        #expect(event.lastTimestamp == wall)
    }

    @Test("a repeat raises the count of the same event, even when the object has moved on")
    mutating func repeated() throws {
        let first = try Self.sent(correlator.observe(observation("m"), now: .zero, wall: wall)).event
        var moved = pod
        moved.resourceVersion = "6"
        let later = Timestamp(seconds: 1_060)
        let write = try Self.sent(correlator.observe(observation("m", of: moved), now: .seconds(60), wall: later))
        guard case .patch(let event) = write else {
            Issue.record("expected a patch")
            return
        }
        #expect(event.metadata.name == first.metadata.name)
        #expect(event.count == 2)
        #expect(event.firstTimestamp == wall)
        #expect(event.lastTimestamp == later)
    }

    @Test("events of nodes go to the default namespace, and names never repeat")
    mutating func nodeEvents() throws {
        let node = ObjectReference(kind: "Node", name: "n1", uid: "n1")
        let first = try Self.sent(correlator.observe(observation("a", of: node), now: .zero, wall: wall)).event
        let second = try Self.sent(correlator.observe(observation("b", of: node), now: .zero, wall: wall)).event
        #expect(first.metadata.namespace == "default")
        #expect(first.metadata.name != second.metadata.name)
    }

    @Test("from the eleventh different message on they are combined into one event")
    mutating func combined() throws {
        for number in 1...10 {
            let write = try Self.sent(correlator.observe(observation("m\(number)"), now: .zero, wall: wall))
            #expect(write.event.message == "m\(number)")
        }
        let eleventh = try Self.sent(correlator.observe(observation("m11"), now: .zero, wall: wall))
        #expect(eleventh.event.message == "(combined from similar events): m11")
        guard case .patch(let event)? = correlator.observe(observation("m12"), now: .zero, wall: wall) else {
            Issue.record("expected the combined event to be patched")
            return
        }
        #expect(event.metadata.name == eleventh.event.metadata.name)
        #expect(event.count == 2)
        #expect(event.message == "(combined from similar events): m12")
    }

    @Test("after ten quiet minutes messages stand for themselves again")
    mutating func windowPasses() throws {
        for number in 1...11 { _ = correlator.observe(observation("m\(number)"), now: .zero, wall: wall) }
        let write = try Self.sent(correlator.observe(observation("m99"), now: .seconds(601), wall: wall))
        #expect(write.event.message == "m99")
    }

    @Test("an object gets 25 events at once and one more every five minutes; others are unaffected")
    mutating func spam() {
        var sent = 0
        for number in 0..<100
        where correlator.observe(observation("m", reason: "R\(number)"), now: .zero, wall: wall) != nil {
            sent += 1
        }
        #expect(sent == 25)
        #expect(correlator.observe(observation("m"), now: .seconds(299), wall: wall) == nil)
        #expect(correlator.observe(observation("m"), now: .seconds(300), wall: wall) != nil)
        #expect(correlator.observe(observation("m"), now: .seconds(301), wall: wall) == nil)
        let other = ObjectReference(kind: "Pod", namespace: "ns", name: "other", uid: "u2")
        #expect(correlator.observe(observation("m", of: other), now: .zero, wall: wall) != nil)
    }

    @Test("names and messages keep within the limits of the API")
    mutating func limits() throws {
        let long = ObjectReference(kind: "Pod", namespace: "ns", name: String(repeating: "n", count: 253), uid: "u")
        let message = String(repeating: "ü", count: 2_000)
        let event = try Self.sent(correlator.observe(observation(message, of: long), now: .zero, wall: wall)).event
        #expect((event.metadata.name ?? "").count == 253)
        #expect((event.message ?? "").utf8.count <= 1_024)
        #expect((event.message ?? "").hasSuffix("..."))
    }

    @Test("tables stay within their limit and forget the oldest")
    func tables() {
        var table = BoundedTable<Int, Int>(limit: 10)
        for key in 0..<11 { table[key] = key }
        #expect(table.count == 6)
        #expect(table[0] == nil)
        #expect(table[10] == 10)
    }
}
