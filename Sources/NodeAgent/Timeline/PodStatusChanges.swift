import KubernetesAPI

/// What is different between two statuses of a pod, as entries of its timeline. Pure.
enum PodStatusChanges {
    static func entries(from old: PodStatus?, to new: PodStatus, now: Timestamp) -> [PodTimelineEntry] {
        let before = Dictionary(statuses(old).map { ($0.name, $0) }) { first, _ in first }
        var entries: [PodTimelineEntry] = []
        for status in statuses(new) { entries += changes(from: before[status.name], to: status, now: now) }
        if new.isTrue(.ready) != (old?.isTrue(.ready) ?? false) {
            let isReady = new.isTrue(.ready)
            entries.append(
                PodTimelineEntry(
                    .pod, reason: isReady ? PodTimelineEntry.ready : PodTimelineEntry.notReady,
                    message: isReady ? "" : new.condition(.ready)?.message ?? "", at: now))
        }
        if let phase = new.phase, phase != old?.phase, phase != PodPhase.pending.rawValue {
            let words = [new.reason, new.message].compactMap(\.self).filter { !$0.isEmpty }
            entries.append(
                PodTimelineEntry(
                    .pod, reason: phase, message: words.joined(separator: ": "),
                    isWarning: phase == PodPhase.failed.rawValue, at: now))
        }
        return entries
    }

    static func statuses(_ status: PodStatus?) -> [ContainerStatus] {
        (status?.initContainerStatuses ?? []) + (status?.containerStatuses ?? [])
            + (status?.ephemeralContainerStatuses ?? [])
    }

    private static func changes(
        from old: ContainerStatus?, to new: ContainerStatus, now: Timestamp
    ) -> [PodTimelineEntry] {
        var entries: [PodTimelineEntry] = []
        if let end = new.lastEnd, end.containerID != old?.lastEnd?.containerID || old?.lastEnd == nil {
            entries.append(
                PodTimelineEntry(
                    .ended, reason: end.reason ?? "", message: end.text, container: new.name,
                    isWarning: end.exitCode != 0, instance: end.containerID, at: end.finishedAt ?? now))
        }
        if let running = new.state?.running, old?.state?.running == nil || old?.containerID != new.containerID {
            entries.append(
                PodTimelineEntry(
                    .started, reason: PodTimelineEntry.containerStarted, container: new.name,
                    instance: new.containerID, at: running.startedAt ?? now))
        }
        if let waiting = new.state?.waiting, waiting != old?.state?.waiting,
            let reason = waiting.reason, reason != "ContainerCreating", reason != "PodInitializing"
        {
            entries.append(
                PodTimelineEntry(
                    .waits, reason: reason, message: waiting.shortMessage, container: new.name,
                    isWarning: true, at: now))
        }
        return entries
    }
}

extension PodTimelineEntry {
    /// Reason of ``Kind/started``: that of the event.
    static let containerStarted = "Started"
}

extension ContainerStatus {
    /// How the newest instance that has ended did.
    var lastEnd: ContainerStateTerminated? { state?.terminated ?? lastState?.terminated }
}

extension ContainerStateTerminated {
    /// `exit code 137 (OOMKilled)`: without times, so that equal ends read the same.
    var text: String {
        var text = "exit code \(exitCode)"
        if let signal, signal != 0 { text += ", signal \(signal)" }
        if let reason, !reason.isEmpty { text += " (\(reason))" }
        if let message, !message.isEmpty { text += ": \(message)" }
        return text
    }
}

extension ContainerStateWaiting {
    /// `back-off 40s`, where the API's words go on with names that are known.
    var shortMessage: String {
        let message = message ?? ""
        guard reason == "CrashLoopBackOff", let end = message.firstRange(of: " restarting failed")
        else { return message }
        return String(message[..<end.lowerBound])
    }
}
