import KubernetesAPI
import Testing

@testable import NodeAgent

@Suite struct PodTimelineTests {
    private func time(_ seconds: Int64) -> Timestamp { Timestamp(seconds: 1_000_000 + seconds) }

    private func event(_ reason: String, _ message: String = "", at seconds: Int64) -> PodTimelineEntry {
        PodTimelineEntry(.event, reason: reason, message: message, container: "app", at: time(seconds))
    }

    private func end(_ instance: String, reason: String = "Error", at seconds: Int64) -> PodTimelineEntry {
        PodTimelineEntry(
            .ended, reason: reason, message: "exit code 1", container: "app", instance: instance, at: time(seconds))
    }

    @Test("equal entries are counted, keep their first time and move to the end")
    func repetition() {
        var timeline = PodTimeline()
        timeline.add(event("BackOff", at: 0))
        timeline.add(event("Pulled", at: 1))
        timeline.add(event("BackOff", at: 300))
        #expect(timeline.entries.map(\.reason) == ["Pulled", "BackOff"])
        #expect(timeline.entries.last?.count == 2)
        #expect(timeline.entries.last?.first == time(0))
        #expect(timeline.entries.last?.last == time(300))
    }

    @Test("an entry that comes again after a long pause is a new one")
    func pause() {
        var timeline = PodTimeline()
        timeline.add(event("BackOff", at: 0))
        timeline.add(event("BackOff", at: 901))
        #expect(timeline.entries.map(\.count) == [1, 1])
    }

    @Test("more entries than the limit push out the oldest")
    func bounded() {
        var timeline = PodTimeline()
        for number in 0..<PodTimeline.limit + 5 { timeline.add(event("Reason", "\(number)", at: Int64(number))) }
        #expect(timeline.entries.count == PodTimeline.limit)
        #expect(timeline.entries.first?.message == "5")
    }

    @Test("an instance ends once, however often it is seen")
    func knownEnd() {
        var timeline = PodTimeline()
        #expect(timeline.add(end("a", at: 0)) != nil)
        #expect(timeline.add(end("a", at: 0)) == nil)
        #expect(timeline.add(end("b", at: 0)) != nil)
        #expect(timeline.entries.map(\.count) == [2])
    }

    @Test("the state of a started container completes the event of its start")
    func start() {
        var timeline = PodTimeline()
        let started = PodTimelineEntry(.started, reason: "Started", container: "app", at: time(0))
        var state = started
        state.instance = "a"
        timeline.add(started)
        #expect(timeline.add(state) == nil)
        #expect(timeline.add(state) == nil)
        #expect(timeline.entries.map(\.count) == [1])
        #expect(timeline.entries.first?.instance == "a")
        state.instance = "b"
        timeline.add(started)
        #expect(timeline.add(state) == nil)
        #expect(timeline.entries.map(\.count) == [2])
        state.instance = "c"
        #expect(timeline.add(state) != nil)
        #expect(timeline.entries.map(\.count) == [3])
    }

    @Test("the pod enters a state once, and again only after it has left it")
    func states() {
        var timeline = PodTimeline()
        func add(_ reason: String, _ seconds: Int64) -> Bool {
            timeline.add(PodTimelineEntry(.pod, reason: reason, at: time(seconds))) != nil
        }
        #expect(add("Running", 0))
        #expect(add("Ready", 0))
        #expect(!add("Ready", 1))
        #expect(!add("Running", 1))
        #expect(add("NotReady", 2))
        #expect(add("Ready", 3))
        #expect(timeline.entries.last?.count == 2)
    }

    @Test(
        "an end tells what ended the container",
        arguments: [
            ("Container app failed liveness probe, will be restarted", "Error", false, KillSource.probe),
            ("Container app definition changed, will be restarted", "Error", false, .definitionChange),
            ("FailedPostStartHook", "Error", false, .hook), ("killing", "Error", false, .restartAll),
            ("Stopping container app", "Error", true, .deletion),
            ("Stopping container app", "Completed", false, .podEnd),
            ("Stopping container app", "OOMKilled", true, .outOfMemory),
        ])
    func killSource(message: String, reason: String, isDeleting: Bool, source: KillSource) {
        var timeline = PodTimeline()
        timeline.add(PodTimelineEntry(.started, reason: "Started", container: "app", at: time(0)))
        timeline.add(event("Killing", message, at: 1))
        timeline.add(end("a", reason: reason, at: 2), isDeleting: isDeleting)
        #expect(timeline.newest(.ended)?.killedBy == source)
    }

    @Test(
        "a kill of the whole pod tells why",
        arguments: [
            ("Evicted", PodTimelineEntry.Kind.event, KillSource.eviction), ("DeadlineExceeded", .event, .deadline),
            ("Preempting", .event, .preemption), ("NodeStopped", .agent, .userStop),
        ])
    func podKillSource(reason: String, kind: PodTimelineEntry.Kind, source: KillSource) {
        var timeline = PodTimeline()
        timeline.add(PodTimelineEntry(.started, reason: "Started", container: "app", at: time(0)))
        timeline.add(PodTimelineEntry(kind, reason: reason, at: time(1)))
        timeline.add(event("Killing", "Stopping container app", at: 1))
        timeline.add(end("a", at: 2))
        #expect(timeline.newest(.ended)?.killedBy == source)
    }

    @Test("a kill of an earlier instance is not blamed for the end of this one")
    func earlierKill() {
        var timeline = PodTimeline()
        timeline.add(event("Killing", "Container app failed liveness probe, will be restarted", at: 0))
        timeline.add(PodTimelineEntry(.started, reason: "Started", container: "app", at: time(1)))
        timeline.add(end("b", at: 2))
        #expect(timeline.newest(.ended)?.killedBy == nil)
        #expect(timeline.newest(.ended) != nil)
    }

    @Test("an entry survives its JSON")
    func json() throws {
        var entry = end("a", at: 5)
        entry.count = 3
        entry.first = time(1)
        entry.isWarning = true
        entry.killedBy = .probe
        entry.message = "line one\nline two \u{1B}[31m ü"
        let parsed = try JSONValue(parsing: entry.json.serialized())
        #expect(PodTimelineEntry(parsed) == entry)
    }

    @Test(
        "what is no entry is refused",
        arguments: [
            "null", "[]", #"{"kind":"event"}"#,
            #"{"kind":"party","reason":"a","first":"2026-01-01T00:00:00Z","last":"2026-01-01T00:00:00Z","count":1}"#,
            #"{"kind":"event","reason":"a","first":"2026-01-01T00:00:00Z","last":"yesterday","count":1}"#,
            #"{"kind":"event","reason":"a","first":"2026-01-01T00:00:00Z","last":"2026-01-01T00:00:00Z","count":0}"#,
        ])
    func refused(text: String) throws {
        #expect(PodTimelineEntry(try JSONValue(parsing: text)) == nil)
    }

    @Test("counts end at the largest number")
    func largestCount() {
        var timeline = PodTimeline()
        var entry = event("BackOff", at: 0)
        entry.count = .max
        timeline.add(entry)
        timeline.add(entry)
        #expect(timeline.entries.map(\.count) == [.max])
    }

    @Test("long messages are cut")
    func longMessage() {
        let entry = event("Failed", String(repeating: "ü", count: 2000), at: 0)
        #expect(entry.message.utf8.count <= PodTimelineEntry.messageLimit + 2)
    }
}
