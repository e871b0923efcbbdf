import KubernetesAPI
import Logging
import Synchronization
import TestSupport
import Testing

@testable import KubernetesClient

@Suite("Event recorder")
struct EventRecorderTests {
    private let pod = ObjectReference(kind: "Pod", namespace: "ns", name: "web", uid: "u1")

    private func recorder(_ sink: FakeSink, clock: ManualClock = ManualClock()) -> EventRecorder {
        EventRecorder(
            component: "kubelet", sink: sink, clock: clock, wallClock: { Timestamp(seconds: 1) }, random: { 0.5 },
            logger: .silent)
    }

    @Test("what was recorded before the end is written before run returns")
    func flush() async {
        let sink = FakeSink()
        let recorder = recorder(sink)
        recorder.record(pod, reason: "Started", message: "m")
        recorder.record(pod, reason: "Started", message: "m")
        recorder.finish()
        await recorder.run()
        #expect(sink.log == ["create Started 1", "patch Started 2"])
    }

    @Test("an event that expired on the server is made again")
    func expired() async {
        let sink = FakeSink(failures: [nil, APIError(code: .http(404), reason: .notFound, message: "gone")])
        let recorder = recorder(sink)
        recorder.record(pod, reason: "Started", message: "m")
        recorder.record(pod, reason: "Started", message: "m")
        recorder.finish()
        await recorder.run()
        #expect(sink.log == ["create Started 1", "patch Started 2", "create Started 2"])
    }

    @Test("a refused event is given up at once, the next one is written")
    func refused() async {
        let sink = FakeSink(failures: [APIError(code: .http(403), reason: .forbidden, message: "terminating")])
        let recorder = recorder(sink)
        recorder.record(pod, reason: "One", message: "m")
        recorder.record(pod, reason: "Two", message: "m")
        recorder.finish()
        await recorder.run()
        #expect(sink.log == ["create One 1", "create Two 1"])
    }

    @Test("while the endpoint is away an event is tried again later")
    func retried() async {
        let clock = ManualClock()
        let sink = FakeSink(failures: [APIError(code: .http(503), message: "away", retryAfterSeconds: 20)])
        let recorder = recorder(sink, clock: clock)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await recorder.run() }
            recorder.record(pod, reason: "One", message: "m")
            await clock.waitForSleeper { $0 >= .seconds(20) }
            #expect(sink.log == ["create One 1"])
            clock.advance(by: .seconds(21))
            recorder.finish()
        }
        #expect(sink.log == ["create One 1", "create One 1"])
    }

    @Test("the end is not held up by an endpoint that stays away")
    func boundedFlush() async {
        let clock = ManualClock()
        let away = APIError(code: .http(503), message: "away", retryAfterSeconds: 200)
        let sink = FakeSink(failures: Array(repeating: away, count: 50))
        let recorder = recorder(sink, clock: clock)
        recorder.record(pod, reason: "One", message: "m")
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await recorder.run() }
            recorder.finish()
            await clock.waitForSleeper { $0 == .seconds(5) }
            clock.advance(by: .seconds(5))
        }
        #expect(sink.log.count <= 1)
    }

    @Test("the queue drops the oldest when it is full")
    func full() async {
        let sink = FakeSink()
        let recorder = recorder(sink)
        for number in 0...EventRecorder.queueLimit {
            recorder.record(
                ObjectReference(kind: "Pod", namespace: "ns", name: "p\(number)", uid: "\(number)"),
                reason: "R\(number)",
                message: "m")
        }
        #expect(recorder.droppedCount == 1)
        recorder.finish()
        await recorder.run()
        #expect(sink.log.first == "create R1 1")
        #expect(sink.log.count == EventRecorder.queueLimit)
    }
}

/// Notes what is written; fails as told, in order.
private final class FakeSink: EventSink {
    private let state: Mutex<(log: [String], failures: [APIError?])>

    init(failures: [APIError?] = []) { state = Mutex(([], failures)) }

    var log: [String] { state.withLock { $0.log } }

    func createEvent(_ event: Event) async throws(APIError) { try note("create", event) }
    func patchEvent(_ event: Event) async throws(APIError) { try note("patch", event) }

    private func note(_ verb: String, _ event: Event) throws(APIError) {
        let failure = state.withLock { state -> APIError? in
            state.log.append("\(verb) \(event.reason ?? "") \(event.count ?? 0)")
            return state.failures.isEmpty ? nil : state.failures.removeFirst()
        }
        if let failure { throw failure }
    }
}
