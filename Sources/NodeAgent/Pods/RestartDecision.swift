import KubernetesAPI

/// Whether a container that has ended is started again: its own rules first, then its own policy, then the pod's.
struct RestartDecision: Sendable {
    private enum Action: String {
        case restart = "Restart"
        case restartAllContainers = "RestartAllContainers"
    }

    private let podPolicy: RestartPolicy
    private let spec: PodSpec

    init(_ pod: Pod) {
        spec = pod.spec
        podPolicy = Self.policy(pod.spec.restartPolicy) ?? .always
    }

    /// Whether an exit with this code is followed by another start.
    func restarts(_ container: Container, exitCode: Int32) -> Bool {
        guard let own = Self.policy(container.restartPolicy) else { return Self.restarts(podPolicy, exitCode) }
        // Rules are only valid beside a policy of the container's own.
        if action(of: container, exitCode: exitCode) != nil { return true }
        return Self.restarts(own, exitCode)
    }

    /// Whether a container that the node kills (a failed probe) is started again: there is no exit code yet that a rule
    /// could be about.
    func restartsAfterKill(_ container: Container) -> Bool {
        (Self.policy(container.restartPolicy) ?? podPolicy) != .never
    }

    /// Whether an exit with this code restarts every container of the pod.
    func restartsAll(_ container: Container, exitCode: Int32) -> Bool {
        action(of: container, exitCode: exitCode) == .restartAllContainers
    }

    /// Whether any exit could restart every container of the pod.
    var couldRestartAll: Bool {
        ((spec.initContainers ?? []) + spec.containers).contains { container in
            container.restartPolicyRules?.contains { $0.action == Action.restartAllContainers.rawValue } == true
        }
    }

    /// What the first rule about this exit code asks for.
    private func action(of container: Container, exitCode: Int32) -> Action? {
        for rule in container.restartPolicyRules ?? [] {
            guard let codes = rule.exitCodes else { continue }
            let isNamed = codes.values?.contains(exitCode) == true
            switch codes.operator {
            case "In" where isNamed, "NotIn" where !isNamed: return rule.action.flatMap(Action.init(rawValue:))
            default: continue
            }
        }
        return nil
    }

    private static func policy(_ text: String?) -> RestartPolicy? { text.flatMap(RestartPolicy.init(rawValue:)) }

    private static func restarts(_ policy: RestartPolicy, _ exitCode: Int32) -> Bool {
        switch policy {
        case .always: true
        case .onFailure: exitCode != 0
        case .never: false
        }
    }
}

extension ContainerStateTerminated {
    /// Marks the end of a container that made way for a restart of the whole pod.
    static let restartingAllContainers = "RestartingAllContainers"
    /// Marks an end that nobody saw.
    static let statusUnknown = "ContainerStatusUnknown"

    /// The exit code that counts for an init container: one that ran out of memory failed, whatever its program
    /// returned.
    var initExitCode: Int32 { exitCode == 0 && reason == "OOMKilled" ? 137 : exitCode }
}
