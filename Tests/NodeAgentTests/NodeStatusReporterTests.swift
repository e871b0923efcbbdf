import KubernetesAPI
import KubernetesClient
import Logging
import Synchronization
import TestSupport
import Testing

@testable import NodeAgent

@Suite("The node status reporter", .timeLimit(.minutes(5)))
struct NodeStatusReporterTests {
    /// The node and lease of an API server, in memory.
    private final class FakeNodes: NodeWriting, NodeLeaseWriting, EventSink, Sendable {
        private struct State {
            var node: Node?
            var lease: Lease?
            var isAway = false
        }

        private let state = Mutex(State())
        let calls: AsyncStream<String>
        private let call: AsyncStream<String>.Continuation

        init() { (calls, call) = AsyncStream.makeStream() }

        var stored: Node? { state.withLock { $0.node } }
        func put(_ node: Node) { state.withLock { $0.node = node } }
        func setAway(_ isAway: Bool) { state.withLock { $0.isAway = isAway } }

        private func answer<Value>(
            _ name: String, _ body: (inout State) throws(APIError) -> Value
        ) throws(APIError) -> Value {
            defer { call.yield(name) }
            let result = state.withLock { state -> Result<Value, APIError> in
                if state.isAway { return .failure(APIError(code: .transport(.unreachable), message: "away")) }
                do throws(APIError) { return .success(try body(&state)) } catch { return .failure(error) }
            }
            return try result.get()
        }

        func createNode(_ node: Node) async throws(APIError) -> Node {
            try answer("create") { (state) throws(APIError) in
                guard state.node == nil else { throw APIError(code: .http(409), reason: .alreadyExists, message: "") }
                var node = node
                node.metadata.uid = "node-uid"
                state.node = node
                return node
            }
        }

        func node(named name: String) async throws(APIError) -> Node {
            try answer("get") { (state) throws(APIError) in
                guard let node = state.node else { throw APIError(code: .http(404), message: "") }
                return node
            }
        }

        func patchNode(named name: String, subresource: String?, body: JSONValue) async throws(APIError) -> Node {
            try answer("patch \(subresource ?? "object")") { (state) throws(APIError) in
                guard let old = state.node, let value = try? JSONValueEncoder().encode(old),
                    let patched = try? StrategicMergePatch.apply(body, to: value, as: Node.self),
                    let node = try? JSONValueDecoder().decode(Node.self, from: patched)
                else { throw APIError(code: .http(422), message: "") }
                state.node = node
                return node
            }
        }

        func lease(namespace: String, name: String) async throws(APIError) -> Lease {
            try answer("get lease") { (state) throws(APIError) in
                guard let lease = state.lease else { throw APIError(code: .http(404), message: "") }
                return lease
            }
        }

        func createLease(_ lease: Lease) async throws(APIError) -> Lease {
            try answer("create lease") { (state) throws(APIError) in
                state.lease = lease
                return lease
            }
        }

        func updateLease(_ lease: Lease) async throws(APIError) -> Lease {
            try answer("update lease") { (state) throws(APIError) in
                state.lease = lease
                return lease
            }
        }

        func createEvent(_ event: Event) async throws(APIError) { call.yield("event \(event.reason ?? "")") }
        func patchEvent(_ event: Event) async throws(APIError) {}
    }

    private final class Health: NodeHealthSource, Sendable {
        let problems = Mutex<[NodeProblem]>([])
        func nodeProblems() async -> [NodeProblem] { problems.withLock { $0 } }
    }

    private let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    private func reporter(
        _ fake: FakeNodes, _ health: Health = Health(), _ clock: ManualClock,
        onRegistered: @escaping @Sendable (Node) -> Void = { _ in }
    ) -> NodeStatusReporter {
        NodeStatusReporter(
            configuration: NodeConfiguration(name: "n", version: "1"),
            information: NodeInformation(processors: 2, memory: 1 << 30, bootID: "b", architecture: "amd64"),
            client: fake, health: [health], events: EventRecorder(component: "kubelet", sink: fake, logger: logger),
            onRegistered: onRegistered, logger: logger, clock: clock, wallClock: { Timestamp(seconds: 1_000) },
            random: { 0.5 })
    }

    @Test("the node is registered as soon as the endpoint is there, and a problem shows when it is told")
    func registersAndReports() async {
        let (fake, clock, health) = (FakeNodes(), ManualClock(), Health())
        let uid = Mutex("")
        fake.setAway(true)
        let (registered, told) = AsyncStream<String>.makeStream()
        let reporter = reporter(fake, health, clock) { told.yield($0.metadata.uid ?? "") }
        uid.withLock { $0 = reporter.nodeUID ?? "none" }
        #expect(uid.withLock { $0 } == "none")
        #expect(reporter.allocatable["memory"] == .bytes((1 << 30) - (100 << 20)))
        var (calls, sleeps) = (fake.calls.makeAsyncIterator(), clock.sleeps.makeAsyncIterator())
        await withDiscardingTaskGroup { group in
            group.addTask { await reporter.run() }
            #expect(await calls.next(isolation: nil) == "create")
            fake.setAway(false)
            if let wait = await sleeps.next(isolation: nil) { clock.advance(by: wait) }
            #expect(await calls.next(isolation: nil) == "create")
            var registrations = registered.makeAsyncIterator()
            #expect(await registrations.next(isolation: nil) == "node-uid")
            #expect(reporter.nodeUID == "node-uid")
            // Ready, so from now on it looks every ten seconds, and writes nothing.
            #expect(await sleeps.next(isolation: nil) == .seconds(10))
            clock.advance(by: .seconds(10))
            #expect(await sleeps.next(isolation: nil) == .seconds(10))
            health.problems.withLock { $0 = [NodeProblem(condition: .diskPressure, message: "full")] }
            reporter.refresh()
            #expect(await calls.next(isolation: nil) == "patch status")
            let pressure = fake.stored?.status?.conditions?.first { $0.type == "DiskPressure" }
            #expect(pressure?.status == "True")
            #expect(pressure?.message == "full")
            group.cancelAll()
        }
    }

    @Test("what others added to a node that was there is kept and can be used")
    func existingNode() async {
        let (fake, clock) = (FakeNodes(), ManualClock())
        fake.put(
            Node(
                metadata: ObjectMeta(name: "n", uid: "old-uid", labels: ["theirs": "1"]),
                spec: NodeSpec(unschedulable: true),
                status: NodeStatus(
                    capacity: ["example.com/gpu": .count(2)], allocatable: ["example.com/gpu": .count(1)],
                    conditions: [NodeCondition(type: "NetworkUnavailable", status: "False")])))
        let reporter = reporter(fake, Health(), clock)
        var calls = fake.calls.makeAsyncIterator()
        var sleeps = clock.sleeps.makeAsyncIterator()
        await withDiscardingTaskGroup { group in
            group.addTask { await reporter.run() }
            for expected in ["create", "get", "patch object", "patch status"] {
                #expect(await calls.next(isolation: nil) == expected)
            }
            #expect(await sleeps.next(isolation: nil) == .seconds(10))
            group.cancelAll()
        }
        let node = fake.stored
        #expect(node?.metadata.labels?["theirs"] == "1")
        #expect(node?.metadata.labels?["kubernetes.io/os"] == "linux")
        #expect(node?.spec.unschedulable == true)
        #expect(node?.status?.allocatable?["example.com/gpu"] == .count(1))
        #expect(node?.status?.allocatable?["cpu"] == .cores(2))
        #expect(node?.status?.conditions?.map(\.type).contains("NetworkUnavailable") == true)
        #expect(reporter.allocatable["example.com/gpu"] == .count(1))
        #expect(reporter.nodeUID == "old-uid")
    }

    @Test("the lease is made and then renewed every ten seconds")
    func lease() async {
        let (fake, clock) = (FakeNodes(), ManualClock())
        let renewer = NodeLeaseRenewer(
            nodeName: "n", client: fake, nodeUID: { "uid" }, logger: logger, clock: clock,
            wallClock: { Timestamp(seconds: 5) }, random: { 0.5 })
        var (calls, sleeps) = (fake.calls.makeAsyncIterator(), clock.sleeps.makeAsyncIterator())
        await withDiscardingTaskGroup { group in
            group.addTask { await renewer.run() }
            #expect(await calls.next(isolation: nil) == "get lease")
            #expect(await calls.next(isolation: nil) == "create lease")
            for _ in 0..<3 {
                #expect(await sleeps.next(isolation: nil) == .seconds(10))
                clock.advance(by: .seconds(10))
                #expect(await calls.next(isolation: nil) == "update lease")
            }
            group.cancelAll()
        }
    }
}
