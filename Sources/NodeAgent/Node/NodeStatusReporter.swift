public import KubernetesAPI
public import KubernetesClient
public import Logging
import Synchronization

/// Registers this machine as a Node and keeps the Node's status true.
public actor NodeStatusReporter {
    private let configuration: NodeConfiguration
    private let information: NodeInformation
    private let shortfalls: [String]
    private let client: any NodeWriting
    private let health: [any NodeHealthSource]
    private let images: @Sendable () async -> [ContainerImage]
    private let volumesInUse: @Sendable () async -> [String]?
    private let events: EventRecorder
    private let onRegistered: @Sendable (Node) -> Void
    private let logger: Logger
    private let clock: any Clock<Duration>
    private let uptime: MonotonicTime
    private let wallClock: @Sendable () -> Timestamp
    private let random: @Sendable () -> Double
    private let wakes: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation
    private nonisolated let told: Mutex<Told>
    private var machine = NodeStatusStateMachine()
    private var lastFailure: APIError.Code?
    /// When the earliest sleeping timer ends.
    private var timerDue: Duration?

    private struct Told {
        var allocatable: [String: Quantity]
        var nodeUID: String?
        var node: Node
    }

    /// - Parameters:
    ///   - shortfalls: what the host lacks to enforce limits, as sentences.
    ///   - health: everyone who knows what is wrong with the node.
    ///   - images: on this node.
    ///   - volumesInUse: attached volumes that pods have; nil while that is not known, which leaves what is told.
    ///   - onRegistered: called with the Node once it is in the API, and again if it was replaced there.
    ///   - wallClock: heartbeats and transitions.
    public init(
        configuration: NodeConfiguration, information: NodeInformation, shortfalls: [String] = [],
        client: any NodeWriting, health: [any NodeHealthSource] = [],
        images: @escaping @Sendable () async -> [ContainerImage] = { [] },
        volumesInUse: @escaping @Sendable () async -> [String]? = { nil }, events: EventRecorder,
        onRegistered: @escaping @Sendable (Node) -> Void = { _ in }, logger: Logger,
        clock: any Clock<Duration> = ContinuousClock(), wallClock: @escaping @Sendable () -> Timestamp = { .now() },
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
    ) {
        self.configuration = configuration
        self.information = information
        self.shortfalls = shortfalls
        self.client = client
        self.health = health
        self.images = images
        self.volumesInUse = volumesInUse
        self.events = events
        self.onRegistered = onRegistered
        self.logger = logger
        self.clock = clock
        self.wallClock = wallClock
        self.random = random
        uptime = MonotonicTime(clock)
        (wakes, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        told = Mutex(
            Told(
                allocatable: NodeObject.allocatable(NodeObject.capacity(configuration, information), configuration),
                node: NodeObject.build(configuration, information, now: wallClock())))
    }

    /// What pods may use of the machine; known from the start.
    public nonisolated var allocatable: [String: Quantity] { told.withLock { $0.allocatable } }

    /// The Node as it is in the API, with the status of now; before it is registered, as it will be.
    public nonisolated var node: Node { told.withLock { $0.node } }

    /// Of the Node in the API; nil until registered.
    public nonisolated var nodeUID: String? { told.withLock { $0.nodeUID } }

    /// The node's health has changed: looks at once instead of at the next interval.
    public nonisolated func refresh() { wake.yield() }

    /// Registers and reports until cancelled. To be called once.
    public func run() async {
        record(NodeStatusStateMachine.Happening(type: .normal, reason: "Starting", message: "Starting swiftlet."))
        wake.yield()
        await withDiscardingTaskGroup { group in
            for await _ in wakes {
                if Task.isCancelled { break }
                let due = await work() + uptime.elapsed
                // A timer that ends earlier only makes for one look more.
                guard timerDue.map({ due < $0 }) ?? true else { continue }
                timerDue = due
                group.addTask { await self.waken(at: due) }
            }
            group.cancelAll()
        }
    }

    private func waken(at due: Duration) async {
        try? await clock.sleep(for: due - uptime.elapsed, tolerance: nil)
        if timerDue == due { timerDue = nil }
        wake.yield()
    }

    /// Makes the calls that are due; how long to wait then.
    private func work() async -> Duration {
        let node = await build()
        while !Task.isCancelled {
            let action = machine.next(node, now: uptime.elapsed, random: random())
            if case .wait(let duration) = action { return duration }
            let result = await perform(action)
            log(action, result)
            machine.completed(action, result, now: uptime.elapsed, random: random())
            for happening in machine.takeHappenings() { record(happening) }
            tell(node)
        }
        return NodeStatusStateMachine.updateInterval
    }

    private func build() async -> Node {
        var problems: [NodeProblem] = []
        for source in health { problems += await source.nodeProblems() }
        var node = NodeObject.build(
            configuration, information, problems: problems, shortfalls: shortfalls, images: await images(),
            now: wallClock())
        node.status?.volumesInUse = await volumesInUse()
        return node
    }

    private nonisolated func perform(_ action: NodeStatusStateMachine.Action) async -> Result<Node, APIError> {
        let name = configuration.name
        do throws(APIError) {
            switch action {
            case .create(let node): return .success(try await client.createNode(node))
            case .patchMetadata(let body):
                return .success(try await client.patchNode(named: name, subresource: nil, body: body))
            case .patchStatus(let body):
                return .success(try await client.patchNode(named: name, subresource: "status", body: body))
            case .fetch, .wait: return .success(try await client.node(named: name))
            }
        } catch {
            return .failure(error)
        }
    }

    private func tell(_ node: Node) {
        told.withLock { told in
            told.node = machine.registered ?? node
            told.node.status = node.status
        }
        guard let registered = machine.registered else { return }
        // With what others added to the Node; the machine's own amounts are this agent's.
        let foreign = registered.status?.allocatable ?? [:]
        let own = node.status?.allocatable ?? [:]
        let isNew = told.withLock { told in
            told.allocatable = foreign.merging(own) { $1 }
            defer { told.nodeUID = registered.metadata.uid }
            return told.nodeUID != registered.metadata.uid
        }
        guard isNew else { return }
        logger.info("node registered", metadata: ["node": "\(configuration.name)"])
        onRegistered(registered)
    }

    private func record(_ happening: NodeStatusStateMachine.Happening) {
        let uid = machine.registered?.metadata.uid ?? configuration.name
        events.record(
            ObjectReference(kind: Node.definition.kind, name: configuration.name, uid: uid, apiVersion: "v1"),
            type: happening.type, reason: happening.reason, message: happening.message)
    }

    private func log(_ action: NodeStatusStateMachine.Action, _ result: Result<Node, APIError>) {
        switch result {
        case .success: if action != .fetch { lastFailure = nil }
        case .failure(let error):
            if case .create = action, error.isAlreadyExists { return }
            guard !error.isCancelled, !error.isConflict, lastFailure != error.code else { return }
            lastFailure = error.code
            logger.warning("node status not written, trying again", metadata: ["error": "\(error)"])
        }
    }
}
