import KubernetesAPI
import KubernetesClient

/// Decides when the node's object is created and what is written into it. Pure.
struct NodeStatusStateMachine {
    enum Action: Hashable, Sendable {
        case create(Node)
        case fetch
        case patchMetadata(JSONValue)
        case patchStatus(JSONValue)
        /// Nothing to do for this long, unless the node's health changes.
        case wait(Duration)
    }

    /// An event to record.
    struct Happening: Hashable, Sendable {
        var type: EventType
        var reason: String
        var message: String
    }

    /// The status is worked out this often, and written when it changed.
    static let updateInterval = Duration.seconds(10)
    /// ... or when it was last written this long ago.
    static let reportInterval = Duration.seconds(300)
    /// Until the node is Ready for the first time, so that pods need not wait for the interval.
    static let fastInterval = Duration.milliseconds(100)
    static let fastPeriod = Duration.seconds(120)
    static let retryPolicy = RetryPolicy(initialDelay: .milliseconds(100), maximumDelay: .seconds(7), jitter: 0.08)

    private enum Registration { case unknown, found, done }

    private var registration = Registration.unknown
    /// What the API holds, as far as known.
    private var base: Node?
    private var backoff = Backoff(policy: Self.retryPolicy)
    private var retryDue: Duration?
    private var reportDue: Duration = .zero
    private var wasReady = false
    private var ineffective: JSONValue?
    private var announcedBootID: String?
    private var happenings: [Happening] = []

    /// The registered object; nil before registration.
    var registered: Node? { registration == .done ? base : nil }

    mutating func takeHappenings() -> [Happening] {
        defer { happenings = [] }
        return happenings
    }

    /// - Parameters:
    ///   - node: as it should be now.
    ///   - now: since the agent's start.
    ///   - random: uniform in 0..<1.
    mutating func next(_ node: Node, now: Duration, random: Double) -> Action {
        if let due = retryDue, now < due { return .wait(due - now) }
        retryDue = nil
        switch (registration, base) {
        case (.unknown, _): return .create(node)
        case (_, nil): return .fetch
        case (.found, let base?):
            if let patch = NodeStatusMerge.metadataPatch(from: base, to: node), patch != ineffective {
                return .patchMetadata(patch)
            }
            registration = .done
            return status(node, base, now: now, random: random)
        case (.done, let base?): return status(node, base, now: now, random: random)
        }
    }

    private mutating func status(_ node: Node, _ base: Node, now: Duration, random: Double) -> Action {
        let (wanted, existing) = (node.status ?? NodeStatus(), base.status ?? NodeStatus())
        func patch(renewsHeartbeat: Bool) -> JSONValue? {
            NodeStatusMerge.patch(
                from: existing,
                to: NodeStatusMerge.merge(wanted, over: existing, renewsHeartbeat: renewsHeartbeat))
        }
        noteReboot(from: existing, to: wanted, name: node.metadata.name ?? "")
        let change = patch(renewsHeartbeat: false)
        if change == nil { ineffective = nil }
        if (change != nil && change != ineffective) || now >= reportDue {
            ineffective = change
            if let full = patch(renewsHeartbeat: true) { return .patchStatus(full) }
            reportDue = now + Self.reportInterval
        }
        if Self.isReady(wanted) { wasReady = true }
        if !wasReady, now < Self.fastPeriod { return .wait(Self.fastInterval) }
        return .wait(Self.updateInterval * (0.96 + 0.08 * random))
    }

    // MARK: Answers

    /// The call of `action` has ended.
    mutating func completed(
        _ action: Action, _ result: Result<Node, APIError>, now: Duration, random: Double
    ) {
        switch result {
        case .success(let node): succeeded(action, node, now: now, random: random)
        case .failure(let error): failed(action, error, now: now, random: random)
        }
    }

    private mutating func succeeded(_ action: Action, _ node: Node, now: Duration, random: Double) {
        // A fetch is half of a try: when its write fails again and again, the delays grow.
        if action != .fetch { backoff.reset() }
        switch action {
        case .create:
            noteConditions(from: nil, to: node.status, name: node.metadata.name ?? "")
            registration = .done
            reported(now: now, random: random)
        case .fetch:
            // A replaced object is registered anew: its labels may be gone.
            if registration == .done, base == nil { registration = .found }
        case .patchMetadata(let patch):
            ineffective = patch
        case .patchStatus:
            noteConditions(from: base?.status, to: node.status, name: node.metadata.name ?? "")
            reported(now: now, random: random)
        case .wait: return
        }
        base = node
    }

    private mutating func reported(now: Duration, random: Double) {
        // Spread, so that the nodes of a cluster that restarted together do not report together for ever.
        reportDue = now + Self.reportInterval * (0.5 + random)
    }

    private mutating func failed(_ action: Action, _ error: APIError, now: Duration, random: Double) {
        switch action {
        case .create where error.isAlreadyExists || error.isForbidden || error.httpStatus == 409:
            registration = .found
            base = nil
            if !error.isForbidden { return }
        case .fetch where error.isNotFound, .patchStatus where error.isNotFound,
            .patchMetadata where error.isNotFound:
            registration = .unknown
            base = nil
        case .patchMetadata where error.isForbidden || error.isInvalid:
            // The node may not set these; the rest of it works without.
            registration = .done
        case .patchMetadata, .patchStatus:
            base = nil
            ineffective = nil
        case .create, .fetch, .wait:
            break
        }
        retryDue = now + backoff.failed(retryAfterSeconds: error.retryAfterSeconds, random: random)
    }

    // MARK: Events

    private static func isReady(_ status: NodeStatus) -> Bool {
        status.conditions?.first { $0.type == NodeConditionType.ready.rawValue }?.status
            == ConditionStatus.true.rawValue
    }

    private mutating func noteReboot(from existing: NodeStatus, to wanted: NodeStatus, name: String) {
        guard let old = existing.nodeInfo?.bootID, let new = wanted.nodeInfo?.bootID, !old.isEmpty, !new.isEmpty,
            old != new, announcedBootID != new
        else { return }
        announcedBootID = new
        happenings.append(
            Happening(type: .warning, reason: "Rebooted", message: "Node \(name) has been rebooted, boot id: \(new)"))
    }

    private static let reasons: [(type: NodeConditionType, whenTrue: String, whenFalse: String)] = [
        (.memoryPressure, "NodeHasInsufficientMemory", "NodeHasSufficientMemory"),
        (.diskPressure, "NodeHasDiskPressure", "NodeHasNoDiskPressure"),
        (.pidPressure, "NodeHasInsufficientPID", "NodeHasSufficientPID"),
        (.ready, "NodeReady", "NodeNotReady"),
    ]

    private mutating func noteConditions(from old: NodeStatus?, to new: NodeStatus?, name: String) {
        func value(_ type: NodeConditionType, _ status: NodeStatus?) -> String? {
            status?.conditions?.first { $0.type == type.rawValue }?.status
        }
        for (type, whenTrue, whenFalse) in Self.reasons {
            guard let now = value(type, new), now != value(type, old) else { continue }
            let reason = now == ConditionStatus.true.rawValue ? whenTrue : whenFalse
            happenings.append(
                Happening(type: .normal, reason: reason, message: "Node \(name) status is now: \(reason)"))
        }
    }
}
