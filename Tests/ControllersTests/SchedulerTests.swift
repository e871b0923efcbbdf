import KubernetesAPI
import KubernetesClient
import Logging
import Synchronization
import Testing

@testable import Controllers

@Suite("Scheduler", .timeLimit(.minutes(5)))
struct SchedulerTests {
    private static func pod(_ name: String, cpu: Int64, version: Int = 1) -> Pod {
        var pod = SchedulingDecisionTests.pod(name, cpu: cpu)
        pod.metadata.resourceVersion = "\(version)"
        return pod
    }

    private static func node(cpu: Int64, version: Int = 1) -> Node {
        var node = SchedulingDecisionTests.node(cpu: cpu)
        node.metadata.uid = "n1"
        node.metadata.resourceVersion = "\(version)"
        return node
    }

    /// Runs a scheduler over the given world; `body` sees what it writes, in order.
    private func run(
        pods: [Pod], nodes: [Node], api: FakeAPI = FakeAPI(),
        _ body: (FakeSource<Pod>, FakeSource<Node>, inout AsyncStream<String>.Iterator) async -> Void
    ) async {
        let podSource = FakeSource(pods)
        let nodeSource = FakeSource(nodes)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let scheduler = Scheduler(
            pods: Informer(source: podSource, logger: logger), nodes: Informer(source: nodeSource, logger: logger),
            assignment: api, recorder: EventRecorder(component: "default-scheduler", sink: api, logger: logger),
            queue: WorkQueue(), wallClock: { Timestamp(seconds: 1) }, logger: logger)
        var log = api.log.makeAsyncIterator()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await scheduler.run() }
            await body(podSource, nodeSource, &log)
            group.cancelAll()
        }
    }

    /// The next `count` lines, sorted: bindings and events are written by different tasks.
    private func next(_ count: Int, _ log: inout AsyncStream<String>.Iterator) async -> [String] {
        var lines: [String] = []
        while lines.count < count, let line = await log.next() { lines.append(line) }
        return lines.sorted()
    }

    @Test("pending pods are bound and told so")
    func binds() async {
        await run(pods: [Self.pod("a", cpu: 100)], nodes: [Self.node(cpu: 1_000)]) { _, _, log in
            #expect(
                await next(2, &log) == ["bind a n1", "event Scheduled Successfully assigned ns/a to n1"])
        }
    }

    @Test("room given away is not given away again before the server confirms it")
    func assumes() async {
        let pods = [Self.pod("a", cpu: 600), Self.pod("b", cpu: 600)]
        await run(pods: pods, nodes: [Self.node(cpu: 1_000)]) { _, _, log in
            let lines = await next(4, &log)
            #expect(lines.count { $0.hasPrefix("bind") } == 1)
            #expect(lines.contains { $0.hasSuffix("0/1 nodes are available: 1 Insufficient cpu.") })
        }
    }

    @Test("a pod nobody takes is marked and told, and bound once a node has room")
    func waitsForNode() async {
        await run(pods: [Self.pod("a", cpu: 600)], nodes: [Self.node(cpu: 500)]) { _, nodes, log in
            #expect(
                await next(2, &log) == [
                    "condition a PodScheduled=False Unschedulable 0/1 nodes are available: 1 Insufficient cpu.",
                    "event FailedScheduling 0/1 nodes are available: 1 Insufficient cpu.",
                ])
            nodes.send(.modified(Self.node(cpu: 1_000, version: 20)))
            #expect(await next(2, &log) == ["bind a n1", "event Scheduled Successfully assigned ns/a to n1"])
        }
    }

    @Test("a pod that leaves makes room for one that waits")
    func waitsForPod() async {
        var running = Self.pod("old", cpu: 900)
        running.spec.nodeName = "n1"
        await run(pods: [running, Self.pod("a", cpu: 600)], nodes: [Self.node(cpu: 1_000)]) { pods, _, log in
            _ = await next(2, &log)
            running.metadata.resourceVersion = "20"
            pods.send(.deleted(running))
            #expect(await next(2, &log).first == "bind a n1")
        }
    }

    @Test("a gated pod is marked and bound when its gates are gone")
    func gates() async {
        var gated = Self.pod("a", cpu: 1)
        gated.spec.schedulingGates = [PodSchedulingGate(name: "g")]
        await run(pods: [gated], nodes: [Self.node(cpu: 1_000)]) { pods, _, log in
            #expect(
                await next(1, &log) == [
                    "condition a PodScheduled=False SchedulingGated "
                        + "Scheduling is blocked due to non-empty scheduling gates"
                ])
            pods.send(.modified(Self.pod("a", cpu: 1, version: 20)))
            #expect(await next(2, &log).first == "bind a n1")
        }
    }

    @Test("a failed binding is tried again, one lost to someone else is not")
    func bindingFails() async {
        let api = FakeAPI(bindFailures: [
            APIError(code: .http(500), message: "no"),
            APIError(code: .http(409), reason: .conflict, message: "bound"),
        ])
        await run(pods: [Self.pod("a", cpu: 1)], nodes: [Self.node(cpu: 1_000)], api: api) { pods, _, log in
            #expect(await next(2, &log) == ["bind a n1", "bind a n1"])
            pods.send(.added(Self.pod("b", cpu: 1, version: 30)))
            #expect(await next(1, &log) == ["bind b n1"])
        }
    }
}

/// Lists once, then watches whatever is sent.
private final class FakeSource<Resource: KubernetesResource>: ResourceSource {
    private let items: [Resource]
    private let events: AsyncStream<ResourceWatchEvent<Resource>>
    private let continuation: AsyncStream<ResourceWatchEvent<Resource>>.Continuation

    init(_ items: [Resource]) {
        self.items = items
        (events, continuation) = AsyncStream.makeStream()
    }

    func send(_ event: ResourceWatchEvent<Resource>) { continuation.yield(event) }

    func list(resourceVersion: String) async throws(APIError) -> ResourceList<Resource> {
        ResourceList(items: items, resourceVersion: "10")
    }

    func watch(
        resourceVersion: String, timeoutSeconds: Int
    ) -> AsyncThrowingStream<ResourceWatchEvent<Resource>, any Error> {
        let events = events
        return AsyncThrowingStream {
            for await event in events { return event }
            return nil
        }
    }
}

/// Notes what the scheduler writes.
private final class FakeAPI: PodAssignment, EventSink {
    let log: AsyncStream<String>
    private let continuation: AsyncStream<String>.Continuation
    private let bindFailures: Mutex<[APIError]>

    init(bindFailures: [APIError] = []) {
        (log, continuation) = AsyncStream.makeStream()
        self.bindFailures = Mutex(bindFailures)
    }

    func bind(_ pod: Pod, to nodeName: String) async throws(APIError) {
        continuation.yield("bind \(pod.metadata.name ?? "") \(nodeName)")
        if let failure = bindFailures.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { throw failure }
    }

    func setCondition(_ condition: PodCondition, of pod: Pod) async throws(APIError) {
        let text = "\(condition.type)=\(condition.status) \(condition.reason ?? "") \(condition.message ?? "")"
        continuation.yield("condition \(pod.metadata.name ?? "") \(text)")
    }

    func createEvent(_ event: Event) async throws(APIError) {
        continuation.yield("event \(event.reason ?? "") \(event.message ?? "")")
    }

    func patchEvent(_ event: Event) async throws(APIError) {
        continuation.yield("patch \(event.reason ?? "") \(event.count ?? 0)")
    }
}
