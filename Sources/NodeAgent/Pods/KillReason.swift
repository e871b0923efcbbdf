public import KubernetesAPI

/// Why an instance is stopped while its pod goes on, or because its pod has nothing left to do.
public enum KillReason: Hashable, Sendable, CaseIterable {
    /// The image in the definition is another one now.
    case definitionChanged
    /// It gets other resources, and its policy for them is to be restarted.
    case resized
    case livenessFailed
    case startupFailed
    /// Its postStart hook failed.
    case postStartFailed
    /// It was made but its program was never started.
    case neverStarted
    /// Its sandbox is not the pod's any more.
    case sandboxLost
    /// A container ended in a way that restarts all of them.
    case restartAllContainers
    /// An init container failed for good: what was started before it ends too.
    case initializationFailed
    /// The pod's own containers have ended for good: sidecars and debug containers do not keep it alive.
    case onlySidecarsLeft

    /// The text of the `Killing` event, in the words that tools look for.
    public func eventMessage(_ container: String, in pod: Pod) -> String {
        let isInit = pod.spec.initContainers?.contains { $0.name == container } == true
        let definition = (isInit ? pod.spec.initContainers : pod.spec.containers)?.first { $0.name == container }
        let subject = (isInit ? "Init container " : "Container ") + container
        // Of a sidecar nobody needs to be told that it comes back.
        let isRestarted = definition.map { RestartDecision(pod).restartsAfterKill($0) } ?? false
        let ending = !isInit && isRestarted ? ", will be restarted" : ""
        switch self {
        case .definitionChanged: return subject + " definition changed" + (isInit ? "" : ", will be restarted")
        case .resized: return subject + " resize requires restart"
        case .livenessFailed: return subject + " failed liveness probe" + ending
        case .startupFailed: return subject + " failed startup probe" + ending
        case .postStartFailed: return "FailedPostStartHook"
        case .restartAllContainers: return "killing"
        case .neverStarted, .sandboxLost, .initializationFailed, .onlySidecarsLeft:
            return "Stopping container \(container)"
        }
    }
}
