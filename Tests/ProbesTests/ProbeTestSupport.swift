import KubernetesAPI
import Probes
import Synchronization

extension ProbeTarget {
    /// An instance called `id` in pod `pod`.
    static func test(
        _ id: String = "c1", pod: String = "pod", startup: Probe? = nil, liveness: Probe? = nil,
        readiness: Probe? = nil, ports: [ContainerPort] = [], env: [EnvVar] = [], runningFor: Duration = .zero,
        wasStarted: Bool = false, wasReady: Bool? = nil
    ) -> ProbeTarget {
        let container = Container(
            name: "app", ports: ports, env: env, livenessProbe: liveness, readinessProbe: readiness,
            startupProbe: startup)
        return ProbeTarget(
            podUID: pod, podNamespace: "default", podName: "web", containerID: id, container: container,
            podIP: "127.0.0.1", runningFor: runningFor, wasStarted: wasStarted, wasReady: wasReady)
    }
}

extension ProbeOutcome {
    static let ok = ProbeOutcome.success(message: "")
    static let bad = ProbeOutcome.failure(message: "no")
    static let odd = ProbeOutcome.error(message: "odd")
}

/// Answers every command the same way and keeps what it was asked.
final class FakeExecution: ProbeExecution {
    struct Call: Hashable {
        var command: [String]
        var containerID: String
        var timeout: Duration?
    }

    let calls = Mutex<[Call]>([])
    private let result: ProbeExecutionResult

    init(_ result: ProbeExecutionResult) { self.result = result }

    func execute(_ command: [String], in containerID: String, timeout: Duration?) async -> ProbeExecutionResult {
        calls.withLock { $0.append(Call(command: command, containerID: containerID, timeout: timeout)) }
        return result
    }
}
