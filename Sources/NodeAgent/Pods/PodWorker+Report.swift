import KubernetesAPI
import KubernetesClient
import Logging
import Probes

extension PodWorker {
    var reference: ObjectReference { ObjectReference(to: pod) }

    func report(
        _ observation: PodObservation, waiting: [String: PodReconciler.Blocker] = [:], restartingAll: Bool = false,
        isFinished: Bool = false
    ) async {
        var verdicts = await context.probes.prober.verdicts(podUID: uid)
        // Whatever its probes say, a container has not started before its hook has ended.
        for container in observation.containers where container.postStart != nil {
            verdicts.started[container.id] = false
        }
        let status = PodStatusBuilder.build(
            PodStatusBuilder.Input(
                pod: pod, observation: observation, probes: verdicts,
                waiting: waiting, restartingAll: restartingAll, isFinished: isFinished, failure: failure,
                resize: resize,
                hostIPs: context.hostIPs, now: context.wallClock()))
        logChanges(from: reported ?? pod.status, to: status)
        let now = now
        context.timelines.record(
            pod, from: reported ?? pod.status, to: status,
            nextTries: waiting.compactMapValues { $0.until.map { $0 - now } })
        // Of a pod that an earlier agent started nobody knows how long that took.
        if status.phase == "Running", (reported ?? pod.status)?.phase != "Running", !startedHere.isEmpty {
            context.durations.addPodStart(now)
        }
        reported = status
        pod.status = status
        // Nobody is left to read it, and a server answers with a refusal.
        if !isRemoved { await context.statuses.set(status, for: pod) }
    }

    /// One line that a person understands for each change of the pod's state.
    private func logChanges(from old: PodStatus?, to new: PodStatus) {
        for status in (new.initContainerStatuses ?? []) + (new.containerStatuses ?? []) {
            let before = ((old?.initContainerStatuses ?? []) + (old?.containerStatuses ?? []))
                .first { $0.name == status.name }
            let end = status.state?.terminated ?? status.lastState?.terminated
            let endBefore = before?.state?.terminated ?? before?.lastState?.terminated
            if let end, end.containerID != endBefore?.containerID {
                logger.info(
                    "container ended",
                    metadata: [
                        "container": "\(status.name)", "code": "\(end.exitCode)", "reason": "\(end.reason ?? "")",
                    ])
            }
            if let waiting = status.state?.waiting, waiting.reason != before?.state?.waiting?.reason,
                waiting.reason != "ContainerCreating", waiting.reason != "PodInitializing"
            {
                logger.info(
                    "container waits",
                    metadata: [
                        "container": "\(status.name)", "reason": "\(waiting.reason ?? "")",
                        "message": "\(waiting.message ?? "")",
                    ])
            }
        }
        let isReady = new.isTrue(.ready)
        if isReady != (old?.isTrue(.ready) ?? false) {
            logger.info(isReady ? "pod is ready" : "pod is not ready", metadata: ["ip": "\(new.podIP ?? "-")"])
        }
        if new.phase != old?.phase, new.phase == "Succeeded" || new.phase == "Failed" {
            logger.info(
                "pod has ended", metadata: ["phase": "\(new.phase ?? "")", "reason": "\(new.reason ?? "")"])
        }
    }

    func record(_ type: EventType, _ reason: String, _ message: String, container: String? = nil) {
        context.events.record(
            ObjectReference(to: pod, fieldPath: container.flatMap(pod.spec.fieldPath(ofContainer:))), type: type,
            reason: reason, message: message)
    }
}
