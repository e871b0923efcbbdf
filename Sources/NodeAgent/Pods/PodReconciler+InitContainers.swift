import KubernetesAPI
import Probes

extension PodReconciler {
    /// Starts init containers one after the other, each when the one before it has succeeded (or, a sidecar, has
    /// started), and keeps sidecars running.
    ///
    /// How far the pod has come is read from the last init container that has an instance in this sandbox: what was
    /// before it had done its work, also when its record is gone. A new sandbox starts over.
    /// - Returns: whether the pod's own containers may run.
    mutating func initialize(in sandboxID: String) -> Bool {
        let containers = pod.spec.initContainers ?? []
        guard !containers.isEmpty else { return true }
        var isInitialized = observation.isInitialized(pod, in: sandboxID)
        // Whether something after the container that is looked at has been started.
        var isPast = isInitialized
        var starts: [Int] = []
        for (index, container) in containers.enumerated().reversed() {
            guard let instance = observation.newest(container.name), instance.sandboxID == sandboxID else {
                if isPast, container.isSidecar { starts.append(index) }
                continue
            }
            if isPast, !container.isSidecar { continue }
            let isDone: Bool
            switch progress(of: container, instance) {
            case .again:
                starts.append(index)
                isDone = false
            case .busy: isDone = false
            case .done: isDone = true
            }
            if isDone, index == containers.count - 1 {
                isInitialized = true
            } else if isDone, !isPast {
                starts.append(index + 1)
            }
            isPast = true
        }
        if !isPast { starts.append(0) }
        for index in starts.reversed() {
            let container = containers[index]
            let isStarted = launch(container, after: observation.newest(container.name), in: sandboxID)
            // What cannot start now holds up what comes after it; a sidecar that restarts holds up nothing.
            if !isStarted, !container.isSidecar { return false }
        }
        return isInitialized
    }

    private enum Progress {
        case again
        case busy
        case done
    }

    private mutating func progress(of container: Container, _ instance: ContainerObservation) -> Progress {
        switch instance.state {
        case .created: return .again
        case .exited(let end):
            if container.isSidecar { return .again }
            // One that failed for good has ended the pod before this is asked.
            return end.initExitCode == 0 ? .done : .again
        case .running:
            guard container.isSidecar else { return .busy }
            if instance.postStart != nil {
                killIfUnfit(container, instance)
                return .busy
            }
            guard container.startupProbe == nil || probes.started[instance.id] == true else {
                if let failure = probes.failed[instance.id], failure.kind == .startup {
                    kill(container, instance, failure)
                }
                return .busy
            }
            // Alive or not, it has started: what comes after it does not wait for its liveness.
            killIfUnfit(container, instance)
            return .done
        }
    }
}
