import KubernetesAPI

/// Where a pod stands on the way from the resources asked for to those in force.
public struct PodResize: Hashable, Sendable {
    public struct Pending: Hashable, Sendable {
        /// `Deferred` or `Infeasible`.
        public var reason: String
        public var message: String
    }

    /// Why what was asked for is not granted; nil when it is.
    public var pending: Pending?
    /// Whether something was granted that is not in force in every container yet.
    public var isInProgress = false
    /// Why not, when trying has failed.
    public var failure: String?
    /// By container, as the newest version of the pod has it.
    var desired: [String: ResourceRequirements] = [:]
    /// Of the pod as a whole, likewise.
    var desiredOfPod: ResourceRequirements?
    /// When to ask or to try again.
    var retryAt: Duration?
    var tries = 0

    public init() {}

    /// What is said of it to those who ask for events; nil without news.
    mutating func take(_ verdict: ResizeVerdict) -> (reason: String, message: String)? {
        let before = pending
        switch verdict {
        case .granted: pending = nil
        case .undecided: break
        case .deferred(let message): pending = Pending(reason: "Deferred", message: message)
        case .infeasible(let message): pending = Pending(reason: "Infeasible", message: message)
        }
        guard let pending, pending.reason != before?.reason else { return nil }
        return ("Resize" + pending.reason, "Pod resize \(pending.reason): \(pending.message)")
    }

    /// A deferred resize is asked for again after half a minute, then every three: others tell when they free something,
    /// and the node itself may have changed.
    mutating func deferRetry(now: Duration) {
        retryAt = now + (tries == 0 ? .seconds(30) : .seconds(180))
        tries += 1
    }
}
