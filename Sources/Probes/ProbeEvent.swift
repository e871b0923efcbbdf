import KubernetesAPI

/// Something a probe has to say about a container, in the kubelet's words. Always a warning.
public struct ProbeEvent: Hashable, Sendable {
    /// The `reason` of the event.
    public enum Reason: String, Hashable, Sendable {
        case unhealthy = "Unhealthy"
        case probeWarning = "ProbeWarning"
    }

    public var podUID: String
    public var podNamespace: String
    public var podName: String
    public var containerName: String
    public var containerID: String
    public var reason: Reason
    public var message: String

    /// - Returns: nil for a success.
    init?(_ outcome: ProbeOutcome, kind: ProbeKind, target: ProbeTarget) {
        switch outcome {
        case .success: return nil
        case .warning(let text):
            reason = .probeWarning
            message = "\(kind) probe warning: \(text)"
        case .failure(let text):
            reason = .unhealthy
            message = "\(kind) probe failed: \(text)"
        case .error(let text):
            reason = .unhealthy
            message = "\(kind) probe errored and resulted in unknown state: \(text)"
        }
        podUID = target.podUID
        podNamespace = target.podNamespace
        podName = target.podName
        containerName = target.container.name
        containerID = target.containerID
    }
}
