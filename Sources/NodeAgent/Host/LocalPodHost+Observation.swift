import ContainerRuntime
import Glibc
public import KubernetesAPI
import LinuxKernel
import MonitorCore
import PodNetwork
import Volumes

/// What is kept with a container for the time after its end, or after the agent's.
enum ContainerLabel {
    /// ``Container/definitionHash``.
    static let definition = "definition"
    /// ``PodSource`` of its pod.
    static let source = "source"
    /// Seconds its pod gives its containers to end.
    static let gracePeriod = "grace-period"
    /// Number of the signal that asks it to end.
    static let stopSignal = "stop-signal"
    /// The host's side of its termination message file.
    static let terminationMessageFile = "termination-message"
    /// `File` or `FallbackToLogsOnError`.
    static let terminationMessagePolicy = "termination-message-policy"
    /// What the node has promised it, and what of that is in force; as JSON.
    static let allocatedResources = "allocated-resources"
    static let appliedResources = "applied-resources"
    /// ``PostStartState``, or `done`.
    static let postStart = "post-start"
    /// Its own processors; a container without this label shares.
    static let processors = "processors"
    /// On the pinned containers that end before their pod's own start.
    static let isInitial = "initial"
}

extension LocalPodHost {
    public func knows(_ uid: String) async -> Bool {
        if await parts.runtime.readySandbox(ofPod: uid) != nil { return true }
        return await !parts.runtime.containers(ofPod: uid).isEmpty
    }

    public func allocations(of uid: String) async -> [String: ResourceRequirements] {
        let instances = await parts.runtime.containers(ofPod: uid).sorted { $0.metadata.attempt < $1.metadata.attempt }
        var allocations: [String: ResourceRequirements] = [:]
        for instance in instances {
            let label = instance.config.labels[ContainerLabel.allocatedResources]
            allocations[instance.metadata.name] = Self.resources(label: label)
        }
        return allocations
    }

    public func observe(_ uid: String) async -> PodObservation {
        await parts.runtime.waitUntilSettled(podUID: uid)
        let sandboxes = await parts.runtime.sandboxes(ofPod: uid)
        let ready = await parts.runtime.readySandbox(ofPod: uid)
        let instances = await parts.runtime.containers(ofPod: uid)
        if let ready, memory(uid).podIPs.isEmpty { await recallAddresses(of: ready) }
        await readTerminationMessages(of: instances, uid: uid)
        let memory = memory(uid)
        return PodObservation(
            sandboxID: ready?.id, nextSandboxAttempt: sandboxes.map(\.attempt).max().map { $0 &+ 1 } ?? 0,
            podIPs: memory.podIPs,
            containers: instances.compactMap {
                ContainerObservation($0, terminationMessage: memory.terminationMessages[$0.id])
            })
    }

    public func attemptsUsed(by pod: Pod) async -> [String: UInt32] {
        let places = configuration.places
        return await KernelThreadPool.shared.run {
            var attempts: [String: UInt32] = [:]
            for container in (pod.spec.initContainers ?? []) + pod.spec.containers {
                // Log files survive a reboot, and are numbered like the attempts.
                let names = (try? FileSystem.list(places.logDirectory(pod, container: container.name))) ?? []
                attempts[container.name] = names.compactMap { UInt32($0.prefix { $0 != "." }) }.max()
            }
            return attempts
        }
    }

    public func remnants() async -> [Pod] {
        var pods: [String: Pod] = [:]
        for sandbox in await parts.runtime.sandboxes() {
            pods[sandbox.podUID] = Self.remnant(
                sandbox.podUID, name: sandbox.podName, namespace: sandbox.podNamespace, sandbox.labels)
        }
        for config in await parts.runtime.containers().map(\.config) {
            let metadata = config.metadata
            pods[metadata.podUID] = Self.remnant(
                metadata.podUID, name: metadata.podName, namespace: metadata.podNamespace, config.labels)
        }
        for uid in (try? await parts.volumes.podUIDsOnDisk()) ?? [] where pods[uid] == nil {
            pods[uid] = Pod(metadata: ObjectMeta(uid: uid))
        }
        // Each name is put together once, and no pod is moved for a comparison: at a start beside many pods that took a tenth of it.
        let order = pods.map { (name: $0.value.key, uid: $0.key) }.sorted { ($0.name, $0.uid) < ($1.name, $1.uid) }
        return order.compactMap { pods[$0.uid] }
    }

    private static func remnant(_ uid: String, name: String, namespace: String, _ labels: [String: String]) -> Pod {
        Pod(
            metadata: ObjectMeta(
                name: name, namespace: namespace, uid: uid,
                annotations: labels[ContainerLabel.source].map { [PodAnnotations.source: $0] }),
            spec: PodSpec(
                containers: [],
                terminationGracePeriodSeconds: labels[ContainerLabel.gracePeriod].flatMap { Int64($0) }))
    }

    public func discardUnused() async {
        await parts.network.retain(sandboxIDs: Set(await parts.runtime.sandboxes().map(\.id)))
    }

    private func recallAddresses(of sandbox: PodSandbox) async {
        let addresses =
            sandbox.hostNetwork
            ? hostIPs : await parts.network.status(sandboxID: sandbox.id)?.addresses.map(\.description) ?? []
        remember(sandbox.podUID) { $0.podIPs = addresses }
    }

    private func readTerminationMessages(of instances: [ContainerInstance], uid: String) async {
        let known = memory(uid).terminationMessages
        let unread = instances.filter { $0.exitRecord != nil && known[$0.id] == nil }
        guard !unread.isEmpty || known.count > instances.count else { return }
        let read = await KernelThreadPool.shared.run {
            unread.map { ($0.id, Self.terminationMessage(of: $0)) }
        }
        let ids = Set(instances.map(\.id))
        remember(uid) { memory in
            memory.terminationMessages = memory.terminationMessages.filter { ids.contains($0.key) }
            for (id, message) in read { memory.terminationMessages[id] = message }
        }
    }

    private static func terminationMessage(of instance: ContainerInstance) -> String {
        let labels = instance.config.labels
        let words = labels[ContainerLabel.terminationMessageFile].map(TerminationMessage.read(file:)) ?? ""
        guard words.isEmpty, labels[ContainerLabel.terminationMessagePolicy] == "FallbackToLogsOnError",
            let record = instance.exitRecord, record.reportedExitCode != 0 || record.outOfMemory
        else { return words }
        return TerminationMessage.read(log: instance.config.logPath)
    }
}

extension ContainerObservation {
    /// nil while the instance is being set up: the runtime tells when that is over. And for one that nobody released: nothing of
    /// it ever ran.
    init?(_ instance: ContainerInstance, terminationMessage: String?) {
        let state: State
        switch instance.state {
        case .launching: return nil
        case .created: state = .created
        case .running(_, let startedAt): state = .running(startedAt: Timestamp(nanosecondsSinceEpoch: startedAt))
        case .exited(let record) where !record.released && record.failure == nil: return nil
        case .exited(let record):
            var end = ContainerStateTerminated(record, instance)
            if let terminationMessage, !terminationMessage.isEmpty { end.message = terminationMessage }
            state = .exited(end)
        }
        let config = instance.config
        self.init(
            id: instance.id, sandboxID: instance.sandboxID, name: instance.metadata.name,
            attempt: instance.metadata.attempt, definitionHash: config.labels[ContainerLabel.definition] ?? "",
            image: config.image, imageID: config.imageID, state: state, userID: config.userID, groupID: config.groupID,
            supplementaryGroups: config.supplementaryGroups,
            allocatedResources: LocalPodHost.resources(label: config.labels[ContainerLabel.allocatedResources]),
            appliedResources: LocalPodHost.resources(label: config.labels[ContainerLabel.appliedResources]),
            postStart: config.labels[ContainerLabel.postStart].flatMap(PostStartState.init))
    }
}
