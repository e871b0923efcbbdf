public import KubernetesAPI
import KubernetesClient
public import Logging

/// Renews the node's lease: the sign of life the control plane watches.
public struct NodeLeaseRenewer: Sendable {
    private let nodeName: String
    private let client: any NodeLeaseWriting
    private let nodeUID: @Sendable () -> String?
    private let logger: Logger
    private let clock: any Clock<Duration>
    private let wallClock: @Sendable () -> MicroTimestamp
    private let random: @Sendable () -> Double

    /// - Parameter nodeUID: of the Node that owns the lease, e.g. `NodeStatusReporter.nodeUID`; nil until known.
    public init(
        nodeName: String, client: any NodeLeaseWriting, nodeUID: @escaping @Sendable () -> String?, logger: Logger,
        clock: any Clock<Duration> = ContinuousClock(),
        wallClock: @escaping @Sendable () -> Timestamp = { .now() },
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
    ) {
        self.nodeName = nodeName
        self.client = client
        self.nodeUID = nodeUID
        self.logger = logger
        self.clock = clock
        self.wallClock = { MicroTimestamp(wallClock()) }
        self.random = random
    }

    /// Renews until cancelled.
    public func run() async {
        let uptime = MonotonicTime(clock)
        var machine = NodeLeaseStateMachine(nodeName: nodeName)
        var lastFailure: APIError.Code?
        while !Task.isCancelled {
            let action = machine.next(now: uptime.elapsed, wall: wallClock(), nodeUID: nodeUID())
            if case .wait(let duration) = action {
                try? await clock.sleep(for: duration, tolerance: nil)
                continue
            }
            let result = await perform(action)
            switch result {
            case .success: lastFailure = nil
            case .failure(let error):
                if !error.isCancelled, !error.isNotFound, !error.isConflict, lastFailure != error.code {
                    lastFailure = error.code
                    logger.warning("node lease not renewed, trying again", metadata: ["error": "\(error)"])
                }
            }
            machine.completed(action, result, now: uptime.elapsed, random: random())
        }
    }

    private func perform(_ action: NodeLeaseStateMachine.Action) async -> Result<Lease, APIError> {
        do throws(APIError) {
            switch action {
            case .create(let lease): return .success(try await client.createLease(lease))
            case .update(let lease): return .success(try await client.updateLease(lease))
            case .fetch, .wait:
                return .success(try await client.lease(namespace: NodeLeaseStateMachine.namespace, name: nodeName))
            }
        } catch {
            return .failure(error)
        }
    }
}
