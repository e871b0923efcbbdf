/// Who or what ended a container that did not end by itself.
public enum KillSource: String, Sendable, CaseIterable {
    case probe
    case deletion
    case definitionChange
    case resize
    case hook
    /// Another container ended in a way that restarts all of them.
    case restartAll
    case deadline
    case eviction
    case preemption
    case outOfMemory
    /// Its pod had nothing left to do: a sidecar, or a container beside one that failed for good.
    case podEnd
    /// `swiftlet stop --all`.
    case userStop

    /// For people, after "ended by".
    public var text: String {
        switch self {
        case .probe: "a failed probe"
        case .deletion: "the deletion of the pod"
        case .definitionChange: "a change of its definition"
        case .resize: "a change of its resources"
        case .hook: "a failed hook"
        case .restartAll: "the end of another container, which restarts all of them"
        case .deadline: "the pod's deadline"
        case .eviction: "an eviction"
        case .preemption: "a pod of higher priority"
        case .outOfMemory: "the kernel, for want of memory"
        case .podEnd: "the end of its pod"
        case .userStop: "swiftlet stop --all"
        }
    }

    /// Looks for it in what was told since the container was started.
    ///
    /// - Parameters:
    ///   - container: the one that has ended, with `reason` as in its state.
    ///   - entries: of its pod, oldest first.
    ///   - isDeleting: the pod had been asked to go by then.
    static func infer(
        _ container: String, reason: String, after entries: [PodTimelineEntry], isDeleting: Bool
    ) -> KillSource? {
        if reason == "OOMKilled" { return .outOfMemory }
        var wasStopped = false
        for entry in entries.reversed() {
            if entry.kind == .started, entry.container == container { break }
            if entry.kind == .agent, entry.reason == PodTimelineEntry.nodeStopped { return .userStop }
            guard entry.kind == .event || entry.kind == .pod else { continue }
            switch entry.reason {
            case "Evicted": return .eviction
            case "Preempting", "Preempted": return .preemption
            case "DeadlineExceeded": return .deadline
            case "Killing" where entry.container == container:
                if entry.message.contains("probe") { return .probe }
                if entry.message.contains("definition") { return .definitionChange }
                if entry.message.hasSuffix("resize requires restart") { return .resize }
                if entry.message.contains("Hook") { return .hook }
                if entry.message == "killing" { return .restartAll }
                wasStopped = true
            default: continue
            }
        }
        guard wasStopped else { return nil }
        return isDeleting ? .deletion : .podEnd
    }
}
