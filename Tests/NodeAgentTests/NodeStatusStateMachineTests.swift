import KubernetesAPI
import KubernetesClient
import Testing

@testable import NodeAgent

@Suite("When the node is registered and reported")
struct NodeStatusStateMachineTests {
    private static let unavailable = APIError(code: .http(503), message: "")
    private static let exists = APIError(code: .http(409), reason: .alreadyExists, message: "")
    private static let notFound = APIError(code: .http(404), reason: .notFound, message: "")

    private func node(ready: Bool = true, boot: String = "b1", at seconds: Int64 = 1) -> Node {
        NodeObject.build(
            NodeConfiguration(name: "n", version: "1"),
            NodeInformation(processors: 1, memory: 1 << 30, bootID: boot, architecture: "amd64"),
            problems: ready ? [] : [NodeProblem(condition: .notReady, message: "no network")],
            now: Timestamp(seconds: seconds))
    }

    /// A machine that has registered `node` at time zero.
    private func registered(_ node: Node) -> NodeStatusStateMachine {
        var machine = NodeStatusStateMachine()
        let action = machine.next(node, now: .zero, random: 0.5)
        machine.completed(action, .success(node), now: .zero, random: 0.5)
        _ = machine.takeHappenings()
        return machine
    }

    private func isWaiting(_ action: NodeStatusStateMachine.Action) -> Duration? {
        if case .wait(let duration) = action { duration } else { nil }
    }

    private func isStatusPatch(_ action: NodeStatusStateMachine.Action) -> Bool {
        if case .patchStatus = action { true } else { false }
    }

    @Test("the node is created, again and again until the endpoint is there")
    func creates() throws {
        var machine = NodeStatusStateMachine()
        var now = Duration.zero
        for _ in 0..<10 {
            let action = machine.next(node(), now: now, random: 0.5)
            #expect(action == .create(node()))
            machine.completed(action, .failure(Self.unavailable), now: now, random: 0.5)
            let wait = try #require(isWaiting(machine.next(node(), now: now, random: 0.5)))
            #expect(wait <= .seconds(7.5))
            now += wait
        }
        machine.completed(machine.next(node(), now: now, random: 0.5), .success(node()), now: now, random: 0.5)
        #expect(machine.registered != nil)
        #expect(machine.takeHappenings().map(\.reason).contains("NodeReady"))
    }

    @Test("a node that exists is taken over: what it lacks, then its status")
    func takesOver() {
        var machine = NodeStatusStateMachine()
        machine.completed(
            machine.next(node(), now: .zero, random: 0.5), .failure(Self.exists), now: .zero, random: 0.5)
        #expect(machine.next(node(), now: .zero, random: 0.5) == .fetch)
        var old = node(ready: false, boot: "b0")
        old.metadata.labels = nil
        machine.completed(.fetch, .success(old), now: .zero, random: 0.5)
        let metadata = machine.next(node(), now: .zero, random: 0.5)
        guard case .patchMetadata = metadata else { return #expect(Bool(false), "\(metadata)") }
        var labelled = old
        labelled.metadata.labels = node().metadata.labels
        machine.completed(metadata, .success(labelled), now: .zero, random: 0.5)
        let status = machine.next(node(), now: .zero, random: 0.5)
        #expect(isStatusPatch(status))
        machine.completed(status, .success(node()), now: .zero, random: 0.5)
        #expect(machine.takeHappenings().map(\.reason) == ["Rebooted", "NodeReady"])
        #expect(isWaiting(machine.next(node(), now: .zero, random: 0.5)) == .seconds(10))
    }

    @Test("nothing is written while nothing changes, until the report is due")
    func quiet() throws {
        var machine = registered(node())
        for second in stride(from: 10, to: 300, by: 10) {
            let action = machine.next(node(at: Int64(second)), now: .seconds(second), random: 0.5)
            #expect(isWaiting(action) == .seconds(10))
        }
        let report = machine.next(node(at: 300), now: .seconds(300), random: 0.5)
        guard case .patchStatus(let body) = report else { return #expect(Bool(false), "no report") }
        #expect(body[path: "status", "conditions"]?.arrayValue?.count == 4)
        machine.completed(report, .success(node(at: 300)), now: .seconds(300), random: 0)
        #expect(isWaiting(machine.next(node(at: 310), now: .seconds(310), random: 0.5)) != nil)
        // Spread by up to half the interval.
        #expect(isStatusPatch(machine.next(node(at: 450), now: .seconds(450), random: 0.5)))
    }

    @Test("a change is written at once, and told as an event")
    func changes() {
        var machine = registered(node())
        let broken = node(ready: false, at: 5)
        let action = machine.next(broken, now: .seconds(5), random: 0.5)
        #expect(isStatusPatch(action))
        #expect(machine.takeHappenings().isEmpty)
        machine.completed(action, .success(broken), now: .seconds(5), random: 0.5)
        #expect(machine.takeHappenings().map(\.reason) == ["NodeNotReady"])
    }

    @Test("the first minutes are fast until the node is Ready")
    func fastStart() {
        var machine = registered(node(ready: false))
        #expect(isWaiting(machine.next(node(ready: false), now: .seconds(1), random: 0.5)) == .milliseconds(100))
        #expect(isWaiting(machine.next(node(ready: false), now: .seconds(121), random: 0.5)) == .seconds(10))
        var other = registered(node())
        _ = other.next(node(), now: .seconds(1), random: 0.5)
        // Once it was Ready, falling back is no reason to hurry.
        let fallen = other.next(node(ready: false, at: 2), now: .seconds(2), random: 0.5)
        other.completed(fallen, .success(node(ready: false, at: 2)), now: .seconds(2), random: 0.5)
        #expect(isWaiting(other.next(node(ready: false, at: 3), now: .seconds(3), random: 0)) == .seconds(10) * 0.96)
    }

    @Test("while every write of the status fails, the tries become rarer, although the node can be read")
    func failingWrites() {
        var machine = registered(node())
        let changed = node(ready: false, at: 20)
        var (now, delays) = (Duration.seconds(20), [Duration]())
        for _ in 0..<8 {
            let write = machine.next(changed, now: now, random: 0)
            #expect(isStatusPatch(write))
            machine.completed(write, .failure(APIError(code: .http(507), message: "full")), now: now, random: 0)
            guard let delay = isWaiting(machine.next(changed, now: now, random: 0)) else { break }
            delays.append(delay)
            now += delay
            let read = machine.next(changed, now: now, random: 0)
            #expect(read == .fetch)
            machine.completed(read, .success(node()), now: now, random: 0)
        }
        #expect(delays.count == 8)
        #expect(delays.last.map { $0 >= .seconds(5) } == true, "\(delays)")
    }

    @Test("a node deleted from the API is registered again")
    func deleted() {
        var machine = registered(node())
        let action = machine.next(node(ready: false, at: 5), now: .seconds(5), random: 0.5)
        machine.completed(action, .failure(Self.notFound), now: .seconds(5), random: 0.5)
        #expect(machine.registered == nil)
        #expect(machine.next(node(), now: .seconds(60), random: 0.5) == .create(node()))
    }

    @Test("a change the server accepts and ignores is not written every ten seconds")
    func ineffective() {
        var machine = registered(node())
        #expect(isWaiting(machine.next(node(), now: .zero, random: 0.5)) == .seconds(10))
        let other = node(ready: false, at: 5)
        let action = machine.next(other, now: .seconds(5), random: 0.5)
        machine.completed(action, .success(node()), now: .seconds(5), random: 0.5)
        #expect(isWaiting(machine.next(other, now: .seconds(5), random: 0.5)) == .seconds(10))
    }
}
