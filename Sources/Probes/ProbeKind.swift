public import KubernetesAPI

/// What a probe decides about.
public enum ProbeKind: String, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    /// Has the program come up? Holds back the other two, and failing restarts the container.
    case startup = "Startup"
    /// Is it still well? Failing restarts the container.
    case liveness = "Liveness"
    /// May it be sent traffic?
    case readiness = "Readiness"

    /// The word in events and in the `probe_type` label.
    public var description: String { rawValue }
}

extension Container {
    /// The container's probe of a kind; nil when it has none.
    public func probe(_ kind: ProbeKind) -> Probe? {
        switch kind {
        case .startup: startupProbe
        case .liveness: livenessProbe
        case .readiness: readinessProbe
        }
    }
}
