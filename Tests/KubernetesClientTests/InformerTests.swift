import KubernetesAPI
import Logging
import Synchronization
import TestSupport
import Testing

@testable import KubernetesClient

@Suite("Informer", .timeLimit(.minutes(5)))
struct InformerTests {
    private let a1 = configMap("a", version: "1")
    private let key = ObjectKey(namespace: "ns", name: "a")

    private func informer(_ source: ScriptedSource, clock: ManualClock = ManualClock()) -> Informer<ConfigMap> {
        Informer(source: source, clock: clock, random: { 0.5 }, logger: .silent)
    }

    @Test("readers see the list, its end and every change; the store follows")
    func follows() async {
        let a2 = configMap("a", version: "12", value: "new")
        let source = ScriptedSource(
            lists: [.success(ResourceList(items: [a1], resourceVersion: "10"))],
            watches: [ScriptedSource.Watch(events: [.modified(a2), .deleted(configMap("a", version: "13"))])])
        let informer = informer(source)
        var reader = informer.events().makeAsyncIterator()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await informer.run() }
            var seen: [InformerEvent<ConfigMap>] = []
            while let event = await reader.next() {
                seen.append(event)
                if case .deleted = event { break }
            }
            // Folding may hide steps from a slow reader, never the marker, the order or the end.
            #expect(seen.last == .deleted(configMap("a", version: "13")))
            #expect(seen.contains(.initialListDone))
            #expect(informer.hasSynced)
            #expect(informer.snapshot().isEmpty)
            group.cancelAll()
        }
        #expect(await reader.next() == nil)
        #expect(source.listVersions == ["0"])
    }

    @Test("a reader that comes late is told what is known first")
    func lateReader() async {
        let source = ScriptedSource(lists: [.success(ResourceList(items: [a1], resourceVersion: "10"))], watches: [])
        let informer = informer(source)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await informer.run() }
            #expect(await informer.waitUntilSynced())
            var reader = informer.events().makeAsyncIterator()
            #expect(await reader.next() == .applied(old: nil, new: a1))
            #expect(await reader.next() == .initialListDone)
            #expect(informer.object(key) == a1)
            group.cancelAll()
        }
    }

    @Test("a failing server is asked again after the back-off, and nothing is synced before")
    func retries() async {
        let clock = ManualClock()
        let source = ScriptedSource(
            lists: [
                .failure(APIError(code: .transport(.unreachable), message: "away")),
                .success(ResourceList(items: [a1], resourceVersion: "10")),
            ], watches: [])
        let informer = informer(source, clock: clock)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await informer.run() }
            await clock.waitForSleeper { $0 == .milliseconds(800) }
            #expect(!informer.hasSynced)
            clock.advance(by: .milliseconds(800))
            #expect(await informer.waitUntilSynced())
            group.cancelAll()
        }
        #expect(source.listVersions == ["0", ""])
    }

    @Test("a server that was away and answers others is asked at once")
    func returned() async {
        let (clock, reachability) = (ManualClock(), Reachability())
        reachability.failed()
        let source = ScriptedSource(
            lists: [
                .failure(APIError(code: .transport(.unreachable), message: "away")),
                .success(ResourceList(items: [a1], resourceVersion: "10")),
            ], watches: [], reachability: reachability)
        let informer = informer(source, clock: clock)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await informer.run() }
            await clock.waitForSleeper { $0 == .milliseconds(800) }
            reachability.answered()
            #expect(await informer.waitUntilSynced())
            group.cancelAll()
        }
        #expect(clock.now.offset == .zero)
    }

    @Test("an expired watch leads to a new list; what is missing from it is deleted")
    func relists() async {
        let source = ScriptedSource(
            lists: [
                .success(ResourceList(items: [a1], resourceVersion: "10")),
                .success(ResourceList(items: [], resourceVersion: "90")),
            ],
            watches: [
                ScriptedSource.Watch(
                    events: [.bookmark(resourceVersion: "11")],
                    end: APIError(code: .http(410), reason: .expired, message: "too old"))
            ])
        let informer = informer(source)
        var reader = informer.events().makeAsyncIterator()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await informer.run() }
            while let event = await reader.next() {
                if case .deleted(let last) = event {
                    #expect(last == a1)
                    break
                }
            }
            group.cancelAll()
        }
        #expect(source.listVersions == ["0", ""])
    }

    @Test("a watch the server forgets to end is ended here and continued")
    func overdue() async {
        let clock = ManualClock()
        let a2 = configMap("a", version: "12", value: "new")
        let source = ScriptedSource(
            lists: [.success(ResourceList(items: [a1], resourceVersion: "10"))],
            watches: [ScriptedSource.Watch(events: [], hangs: true), ScriptedSource.Watch(events: [.modified(a2)])])
        let informer = informer(source, clock: clock)
        var reader = informer.events().makeAsyncIterator()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await informer.run() }
            await clock.waitForSleeper { $0 >= .seconds(330) }
            clock.advance(by: .seconds(631))
            while let event = await reader.next() {
                if case .applied(_, let new) = event, new == a2 { break }
            }
            #expect(informer.object(key) == a2)
            group.cancelAll()
        }
        #expect(source.watchVersions.prefix(2) == ["10", "10"])
    }

    @Test("a cancelled wait for the first list says so")
    func cancelled() async {
        let informer = informer(ScriptedSource(lists: [], watches: []))
        let synced = await withTaskGroup(of: Bool.self) { group in
            group.addTask { await informer.waitUntilSynced() }
            group.cancelAll()
            return await group.next()
        }
        #expect(synced == false)
    }
}

/// Answers lists and watches from a script, then hangs.
private final class ScriptedSource: ResourceSource {
    struct Watch: Sendable {
        var events: [ResourceWatchEvent<ConfigMap>]
        var end: APIError?
        var hangs = false
    }

    private struct State {
        var lists: [Result<ResourceList<ConfigMap>, APIError>]
        var watches: [Watch]
        var listVersions: [String] = []
        var watchVersions: [String] = []
    }

    private let state: Mutex<State>
    let reachability: Reachability?

    init(
        lists: [Result<ResourceList<ConfigMap>, APIError>], watches: [Watch], reachability: Reachability? = nil
    ) {
        self.reachability = reachability
        state = Mutex(State(lists: lists, watches: watches))
    }

    var listVersions: [String] { state.withLock { $0.listVersions } }
    var watchVersions: [String] { state.withLock { $0.watchVersions } }

    func list(resourceVersion: String) async throws(APIError) -> ResourceList<ConfigMap> {
        let next = state.withLock { state in
            state.listVersions.append(resourceVersion)
            return state.lists.isEmpty ? nil : state.lists.removeFirst()
        }
        guard let next else {
            await hang()
            throw APIError(code: .transport(.cancelled), message: "cancelled")
        }
        return try next.get()
    }

    func watch(
        resourceVersion: String, timeoutSeconds: Int
    ) -> AsyncThrowingStream<ResourceWatchEvent<ConfigMap>, any Error> {
        let script = state.withLock { state in
            state.watchVersions.append(resourceVersion)
            return state.watches.isEmpty ? Watch(events: [], hangs: true) : state.watches.removeFirst()
        }
        let remaining = Mutex(script.events)
        return AsyncThrowingStream {
            if let event = remaining.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { return event }
            if script.hangs { await self.hang() }
            if let end = script.end { throw end }
            return nil
        }
    }

    /// Returns when the task is cancelled.
    private func hang() async {
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        for await _ in stream {}
        continuation.finish()
    }
}
