import KubernetesAPI
import Probes

@testable import NodeAgent

/// Pods and instances for the tests of the pure pod decisions.
enum LifecycleFixture {
    static let now = Duration.seconds(1000)

    static func container(
        _ name: String, policy: String? = nil, rules: [ContainerRestartRule]? = nil, image: String = "img"
    ) -> Container {
        Container(name: name, image: image, restartPolicy: policy, restartPolicyRules: rules)
    }

    static func sidecar(_ name: String) -> Container { container(name, policy: "Always") }

    static func rule(_ action: String, _ operation: String, _ codes: Int32...) -> ContainerRestartRule {
        ContainerRestartRule(
            action: action, exitCodes: ContainerRestartRuleOnExitCodes(operator: operation, values: codes))
    }

    static func pod(
        _ policy: String = "Always", inits: [Container] = [], apps: [Container] = [container("app")],
        status: PodStatus? = nil
    ) -> Pod {
        Pod(
            metadata: ObjectMeta(name: "p", namespace: "ns", uid: "u", generation: 3),
            spec: PodSpec(
                initContainers: inits.isEmpty ? nil : inits, containers: apps, restartPolicy: policy,
                terminationGracePeriodSeconds: 30),
            status: status)
    }

    static func instance(
        _ name: String = "app", attempt: UInt32 = 0, exit: Int32? = nil, sandbox: String = "s", image: String = "img"
    ) -> ContainerObservation {
        ContainerObservation(
            id: "\(name)-\(attempt)", sandboxID: sandbox, name: name, attempt: attempt,
            definitionHash: "\(name)|\(image)",
            state: exit.map { .exited(ContainerStateTerminated(exitCode: $0)) }
                ?? .running(startedAt: Timestamp(seconds: 900, nanoseconds: 7)))
    }

    static func created(_ name: String, attempt: UInt32 = 0) -> ContainerObservation {
        var instance = instance(name, attempt: attempt)
        instance.state = .created
        return instance
    }

    static func observed(_ containers: [ContainerObservation], sandbox: String? = "s") -> PodObservation {
        PodObservation(sandboxID: sandbox, nextSandboxAttempt: 1, containers: containers)
    }

    static func plan(
        _ pod: Pod, _ containers: [ContainerObservation], sandbox: String? = "s",
        probes: ProbeVerdicts = ProbeVerdicts()
    ) -> PodReconciler.Plan {
        PodReconciler.plan(pod, observed: observed(containers, sandbox: sandbox), probes: probes, now: now)
    }

    static func start(_ name: String, _ attempt: UInt32 = 0) -> PodReconciler.Action {
        .start(container: name, attempt: attempt)
    }

    static func kill(_ name: String, _ reason: KillReason, attempt: UInt32 = 0, grace: Int64? = nil)
        -> PodReconciler.Action
    {
        .kill(
            containerID: "\(name)-\(attempt)", container: name, reason: reason, gracePeriodSeconds: grace)
    }

    static func remove(_ name: String, _ attempt: UInt32 = 0) -> PodReconciler.Action {
        .remove(containerID: "\(name)-\(attempt)")
    }

    static func status(
        _ pod: Pod, _ containers: [ContainerObservation], probes: ProbeVerdicts = ProbeVerdicts(),
        waiting: [String: PodReconciler.Blocker] = [:], restartingAll: Bool = false, finished: Bool = false,
        failure: PodRejection? = nil
    ) -> PodStatus {
        PodStatusBuilder.build(
            .init(
                pod: pod, observation: observed(containers), probes: probes, waiting: waiting,
                restartingAll: restartingAll, isFinished: finished, failure: failure, podIPs: ["10.0.0.2"],
                hostIPs: ["192.0.2.1"], now: Timestamp(seconds: 1000, nanoseconds: 5)))
    }

    static func running(_ name: String, restartCount: Int32 = 0, ready: Bool = false, started: Bool? = nil)
        -> ContainerStatus
    {
        ContainerStatus(
            name: name, state: ContainerState(running: ContainerStateRunning(startedAt: Timestamp(seconds: 900))),
            ready: ready, restartCount: restartCount, containerID: "swiftlet://\(name)-0", started: started)
    }

    static func ended(_ exitCode: Int32, reason: String? = nil) -> ContainerState {
        ContainerState(terminated: ContainerStateTerminated(exitCode: exitCode, reason: reason))
    }
}
