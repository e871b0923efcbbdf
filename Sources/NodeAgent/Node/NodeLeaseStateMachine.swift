import KubernetesAPI
import KubernetesClient

/// Decides when the node's lease is renewed. Pure.
struct NodeLeaseStateMachine {
    enum Action: Hashable, Sendable {
        case fetch
        case create(Lease)
        case update(Lease)
        case wait(Duration)
    }

    static let namespace = "kube-node-lease"
    static let durationSeconds: Int32 = 40
    /// A quarter of the duration: three renewals may fail before anybody doubts the node.
    static let renewInterval = Duration.seconds(10)
    static let retryPolicy = RetryPolicy(initialDelay: .milliseconds(100), maximumDelay: .seconds(7), jitter: 0.08)

    private enum State {
        /// Nothing is known of the lease in the API.
        case unknown
        case missing
        case held(Lease)
    }

    private let nodeName: String
    private var state = State.unknown
    private var backoff = Backoff(policy: Self.retryPolicy)
    private var due: Duration = .zero

    init(nodeName: String) { self.nodeName = nodeName }

    /// - Parameters:
    ///   - wall: becomes the renewal's time.
    ///   - nodeUID: of the Node that owns the lease; nil until it is registered.
    mutating func next(now: Duration, wall: MicroTimestamp, nodeUID: String?) -> Action {
        guard now >= due else { return .wait(due - now) }
        switch state {
        case .unknown: return .fetch
        case .missing: return .create(renewed(Lease(), wall: wall, nodeUID: nodeUID))
        case .held(let lease): return .update(renewed(lease, wall: wall, nodeUID: nodeUID))
        }
    }

    private func renewed(_ lease: Lease, wall: MicroTimestamp, nodeUID: String?) -> Lease {
        let last = lease.spec.renewTime
        var lease = lease
        lease.metadata.namespace = Self.namespace
        lease.metadata.name = nodeName
        lease.spec.holderIdentity = nodeName
        lease.spec.leaseDurationSeconds = Self.durationSeconds
        // Only a later time counts as a sign of life: a clock set back must not make the node look silent.
        let successor = last.map { MicroTimestamp($0.time.advanced(by: .milliseconds(1))) } ?? wall
        lease.spec.renewTime = max(wall, successor)
        if let nodeUID, lease.metadata.ownerReferences?.contains(where: { $0.uid == nodeUID }) != true {
            lease.metadata.ownerReferences = [
                OwnerReference(
                    apiVersion: Node.definition.apiVersion, kind: Node.definition.kind, name: nodeName, uid: nodeUID)
            ]
        }
        return lease
    }

    mutating func completed(_ action: Action, _ result: Result<Lease, APIError>, now: Duration, random: Double) {
        switch result {
        case .success(let lease):
            state = .held(lease)
            backoff.reset()
            switch action {
            case .fetch, .wait: due = now
            case .create, .update: due = now + Self.renewInterval * (0.96 + 0.08 * random)
            }
        case .failure(let error):
            switch action {
            case .fetch where error.isNotFound:
                state = .missing
                due = now
                return
            case .update where error.isNotFound, .update where error.isConflict, .create where error.isAlreadyExists:
                // Somebody wrote it, or took it away: look and renew at once.
                state = .unknown
            case .update where !error.isRetryable: state = .unknown
            case .fetch, .create, .update, .wait: break
            }
            due = now + backoff.failed(retryAfterSeconds: error.retryAfterSeconds, random: random)
        }
    }
}
