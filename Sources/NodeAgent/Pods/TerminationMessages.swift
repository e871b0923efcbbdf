import KubernetesAPI

/// Keeps what all containers of a pod say at their end small enough for one object.
enum TerminationMessages {
    /// For all containers of a pod together.
    static let podLimitBytes = 12 * 1024

    static func cap(in status: inout PodStatus, of pod: Pod) {
        let spec = pod.spec
        let count = spec.containers.count + (spec.initContainers?.count ?? 0) + (spec.ephemeralContainers?.count ?? 0)
        let limit = podLimitBytes / max(count, 1)
        cap(&status.containerStatuses, limit)
        cap(&status.initContainerStatuses, limit)
        cap(&status.ephemeralContainerStatuses, limit)
    }

    private static func cap(_ statuses: inout [ContainerStatus]?, _ limit: Int) {
        for index in (statuses ?? []).indices {
            for state in [\ContainerStatus.state, \.lastState] {
                guard let message = statuses?[index][keyPath: state]?.terminated?.message else { continue }
                statuses?[index][keyPath: state]?.terminated?.message = cut(message, limit)
            }
        }
    }

    /// At most so many bytes of UTF-8, never half a character.
    static func cut(_ message: String, _ limit: Int) -> String {
        guard message.utf8.count > limit else { return message }
        var end = message.utf8.index(message.utf8.startIndex, offsetBy: limit)
        while end > message.startIndex, end.samePosition(in: message.unicodeScalars) == nil {
            end = message.utf8.index(before: end)
        }
        return String(message[..<end])
    }
}
