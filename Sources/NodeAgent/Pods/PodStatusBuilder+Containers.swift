import KubernetesAPI
import Probes

extension PodStatusBuilder {
    enum ContainerKind {
        case app, initial, sidecar, ephemeral
    }

    func containerStatus(_ container: Container, _ kind: ContainerKind) -> ContainerStatus {
        let instances = observation.instances(of: container.name)
        let lists: [ContainerStatus]? =
            switch kind {
            case .app: previous.containerStatuses
            case .initial, .sidecar: previous.initContainerStatuses
            case .ephemeral: previous.ephemeralContainerStatuses
            }
        let before = lists?.first { $0.name == container.name }
        var status: ContainerStatus
        if let newest = instances.first {
            status = withInstance(container, newest, second: instances.dropFirst().first, before)
        } else {
            status = withoutInstance(container, kind, before)
        }
        holdBack(&status, kind)
        addProbes(to: &status, container, kind, before)
        return status
    }

    // MARK: With an instance

    private func withInstance(
        _ container: Container, _ newest: ContainerObservation, second: ContainerObservation?,
        _ before: ContainerStatus?
    ) -> ContainerStatus {
        var status = ContainerStatus(
            name: container.name, restartCount: Int32(clamping: newest.attempt),
            image: newest.image.isEmpty ? container.image ?? "" : newest.image, imageID: newest.imageID,
            containerID: Self.containerID(newest), volumeMounts: volumeMounts(container))
        status.restartCount = max(status.restartCount, before?.restartCount ?? 0)
        let isAnother = before?.containerID != status.containerID
        if let end = second?.terminated?.wholeSeconds ?? (isAnother ? before?.state?.terminated : nil) {
            status.lastState = ContainerState(terminated: end)
        } else {
            status.lastState = before?.lastState
        }
        switch newest.state {
        case .created: status.state = waiting()
        case .running(let startedAt):
            status.state = ContainerState(running: ContainerStateRunning(startedAt: startedAt.wholeSeconds))
            if isAnother, let before, before.state?.terminated != nil, before.restartCount >= status.restartCount {
                // The count of the instance before was lost, but it was one.
                status.restartCount = Self.next(before.restartCount)
            }
        case .exited(let end): status.state = ContainerState(terminated: end.wholeSeconds)
        }
        addExtras(to: &status, container, newest)
        return status
    }

    static func containerID(_ instance: ContainerObservation) -> String { "swiftlet://\(instance.id)" }

    /// Identity and resources, as far as they are known.
    private func addExtras(to status: inout ContainerStatus, _ container: Container, _ instance: ContainerObservation) {
        if let resources = container.resources, resources != ResourceRequirements() {
            status.resources = resources
            status.allocatedResources = resources.requests?.isEmpty == false ? resources.requests : nil
        }
        // What is in force, while it is not yet what was promised.
        if let (_, applied) = instance.resize { status.resources = applied }
        guard let userID = instance.userID, let groupID = instance.groupID else { return }
        let groups = instance.supplementaryGroups ?? []
        status.user = ContainerUser(
            linux: LinuxContainerUser(
                uid: Int64(userID), gid: Int64(groupID),
                supplementalGroups: groups.isEmpty ? nil : groups.map(Int64.init)))
    }

    private func volumeMounts(_ container: Container) -> [VolumeMountStatus]? {
        let mounts = (container.volumeMounts ?? []).map { mount in
            let isReadOnly = mount.readOnly == true
            return VolumeMountStatus(
                name: mount.name, mountPath: mount.mountPath, readOnly: isReadOnly ? true : nil,
                recursiveReadOnly: isReadOnly ? (isRecursiveReadOnly(mount) ? "Enabled" : "Disabled") : nil)
        }
        return mounts.isEmpty ? nil : mounts
    }

    /// As ``VolumeMountPoint/readOnlyBelow`` makes it; mounts that travel into the container later are as their makers wanted.
    private func isRecursiveReadOnly(_ mount: VolumeMount) -> Bool {
        mount.mountPropagation ?? "None" == "None" && mount.recursiveReadOnly != "Disabled"
    }

    // MARK: Without one

    /// Nothing of the container is on this node: it was never started, it was removed to restart all containers, or
    /// what was is lost (a reboot).
    private func withoutInstance(
        _ container: Container, _ kind: ContainerKind, _ before: ContainerStatus?
    ) -> ContainerStatus {
        var status = ContainerStatus(
            name: container.name, state: waiting(), lastState: before?.lastState,
            restartCount: before?.restartCount ?? 0, image: container.image ?? "", imageID: before?.imageID ?? "",
            volumeMounts: volumeMounts(container))
        if let before, kind != .ephemeral, isRestartingAll, before.hasState {
            return removed(status, before)
        }
        if let before, before.state?.terminated != nil { return before }
        let hasCompleted = kind == .initial && observation.isInitialized(pod, in: observation.sandboxID)
        if hasCompleted, input.waiting[container.name] == nil {
            status.state = ContainerState(
                terminated: ContainerStateTerminated(
                    exitCode: 0, reason: "Completed",
                    message: "its record is gone, but it had completed before the pod's containers were started"))
        } else if let before, before.state?.running != nil {
            return lost(status, before, kind)
        }
        return status
    }

    /// Its instances made way for a restart of all containers.
    private func removed(_ status: ContainerStatus, _ before: ContainerStatus) -> ContainerStatus {
        var status = status
        let reason = ContainerStateTerminated.restartingAllContainers
        let message = "The container is removed because RestartAllContainers in place"
        status.state = ContainerState(waiting: ContainerStateWaiting(reason: reason, message: message))
        status.lastState = ContainerState(
            terminated: ContainerStateTerminated(exitCode: 137, reason: reason, message: message))
        status.restartCount = Self.next(before.restartCount)
        return status
    }

    private static func next(_ restartCount: Int32) -> Int32 {
        let (next, overflow) = restartCount.addingReportingOverflow(1)
        return overflow ? restartCount : next
    }

    private var isRestartingAll: Bool {
        !input.isFinished && (input.restartingAll || previous.isTrue(.allContainersRestarting))
    }

    /// It ran when it was last heard of: it has ended, nobody knows how.
    private func lost(_ status: ContainerStatus, _ before: ContainerStatus, _ kind: ContainerKind) -> ContainerStatus {
        var status = status
        var end = ContainerStateTerminated(
            exitCode: 137, reason: ContainerStateTerminated.statusUnknown,
            message: "The container could not be located when the pod was deleted.  The container used to be Running",
            startedAt: before.state?.running?.startedAt, containerID: before.containerID)
        if input.isFinished || kind == .ephemeral {
            end.message = Self.notLocated
            status.state = ContainerState(terminated: end)
            return status
        }
        status.lastState = ContainerState(terminated: end)
        if !pod.isTerminating { status.restartCount = Self.next(before.restartCount) }
        return status
    }

    static let notLocated = "The container could not be located when the pod was terminated"

    // MARK: Waiting

    private func waiting() -> ContainerState {
        return ContainerState(
            waiting: ContainerStateWaiting(reason: pod.spec.defaultWaitingReason))
    }

    /// What keeps a container from being started (again) is its state now; how it ended comes second.
    private func holdBack(_ status: inout ContainerStatus, _ kind: ContainerKind) {
        guard let blocker = input.waiting[status.name], !input.isFinished, status.state?.running == nil else { return }
        if let end = status.state?.terminated {
            if kind == .initial, end.initExitCode == 0 { return }
            status.lastState = ContainerState(terminated: end)
        }
        status.state = ContainerState(
            waiting: ContainerStateWaiting(reason: blocker.reason, message: blocker.message))
    }

    // MARK: Probes

    private func addProbes(
        to status: inout ContainerStatus, _ container: Container, _ kind: ContainerKind, _ before: ContainerStatus?
    ) {
        status.ready = false
        if kind == .ephemeral {
            status.started = nil
            return
        }
        let isRunning = status.state?.running != nil
        let id = observation.newest(container.name)?.id ?? ""
        // An agent that was started anew has no verdict yet on what it adopted: the old one holds.
        let adopted = before.flatMap { $0.containerID == status.containerID ? $0 : nil }
        let needsVerdict = container.startupProbe != nil && kind != .initial
        let verdict = input.probes.started[id]
        let isStarted = isRunning && verdict != false && (!needsVerdict || verdict ?? adopted?.started ?? false)
        status.started = isStarted
        if kind == .initial {
            status.ready = status.state?.terminated?.exitCode == 0
        } else if isStarted {
            status.ready = container.readinessProbe == nil || input.probes.ready[id] ?? adopted?.ready ?? false
        }
    }
}

extension ContainerStatus {
    /// Whether it runs or has ended, rather than wait.
    fileprivate var hasState: Bool { state?.running != nil || state?.terminated != nil }
}
