import ContainerImages
import ContainerRuntime
import Glibc
public import KubernetesAPI
import LinuxKernel
import Logging
public import Probes
import Volumes

extension LocalPodHost {
    public func createContainer(
        _ container: Container, of pod: Pod, attempt: UInt32
    ) async throws(PodHostError) -> String {
        guard let sandbox = await parts.runtime.readySandbox(ofPod: pod.metadata.uid ?? "") else {
            throw PodHostError(reason: "CreateContainerError", message: "the pod's sandbox is gone")
        }
        let image = try await image(of: container, in: pod)
        let config: ContainerConfig
        do {
            try await prepare(sandbox, for: pod)
            var made = try await containerConfig(container, of: pod, attempt: attempt, sandbox: sandbox, image: image)
            made.targetContainerID = try await targetContainerID(of: container, in: pod)
            try await pin(&made, container, of: pod)
            config = made
        } catch { throw PodHostError(reason: "CreateContainerConfigError", message: "\(error)") }
        do throws(RuntimeError) {
            let instance = try await parts.runtime.createContainer(config)
            reportShortfalls(instance.shortfalls, of: pod)
            await settle(instance)
            let link = configuration.places.logLink(pod, container: container.name, id: instance.id)
            _ = await KernelThreadPool.shared.run { symlink(config.logPath, link) }
            await beginLog(of: container, in: pod, attempt: attempt)
            return instance.id
        } catch {
            if error.code == .alreadyExists { await clearAttempt(config) }
            throw PodHostError(reason: "CreateContainerError", message: error.message)
        }
    }

    public func startContainer(_ id: String) async throws(PodHostError) {
        do throws(RuntimeError) { try await parts.runtime.startContainer(id) } catch {
            throw PodHostError(reason: "RunContainerError", message: error.message)
        }
    }

    public func stopContainer(_ id: String, gracePeriod: Duration) async {
        let label = await parts.runtime.container(id)?.config.labels[ContainerLabel.stopSignal]
        do throws(RuntimeError) {
            try await parts.runtime.stopContainer(
                id, signal: label.flatMap { Int32($0) } ?? SIGTERM, gracePeriod: gracePeriod)
        } catch {
            logger.warning("container not stopped", metadata: ["container": "\(id)", "error": "\(error)"])
        }
    }

    public func recordPostStart(_ state: PostStartState?, of id: String) async {
        await keep([ContainerLabel.postStart: state?.rawValue ?? "done"], with: id)
    }

    public func removeContainer(_ id: String) async {
        do throws(RuntimeError) { try await parts.runtime.removeContainer(id) } catch {
            logger.warning("container not removed", metadata: ["container": "\(id)", "error": "\(error)"])
        }
    }

    public func execute(_ command: [String], in id: String, timeout: Duration?) async -> ProbeExecutionResult {
        do throws(RuntimeError) {
            let result = try await parts.runtime.executeSync(
                command, in: id, outputLimit: Self.outputLimit, timeout: timeout)
            return .exited(code: result.exitCode, output: result.output)
        } catch {
            return error.code == .deadlineExceeded ? .timedOut : .notRun(message: error.message)
        }
    }

    /// Bytes kept of what a probe or hook writes.
    private static let outputLimit = 10 << 10

    /// The running container in whose PID namespace an ephemeral container is to look around.
    private func targetContainerID(of container: Container, in pod: Pod) async throws(ContainerConfigError) -> String? {
        let ephemeral = pod.spec.ephemeralContainers?.first { $0.name == container.name }
        guard let target = ephemeral?.targetContainerName, !target.isEmpty else { return nil }
        let instances = await parts.runtime.containers(ofPod: pod.metadata.uid ?? "")
        guard let running = instances.first(where: { $0.metadata.name == target && $0.isRunning }) else {
            throw ContainerConfigError("targetContainerName: container \(target) is not running")
        }
        return running.id
    }

    private func beginLog(of container: Container, in pod: Pod, attempt: UInt32) async {
        let places = configuration.places
        await parts.logKeeper?.begin(
            places.logDirectory(pod, container: container.name), attempt: attempt,
            links: places.containerLogLinksDirectory, linkPrefix: places.logLinkPrefix(pod, container: container.name))
    }

    /// An instance in the kernel that the runtime does not know: nothing of it may run beside a new one.
    private func clearAttempt(_ config: ContainerConfig) async {
        let path = config.cgroupPath
        let instances = await parts.runtime.containers(ofPod: config.metadata.podUID)
        guard !instances.contains(where: { $0.config.cgroupPath == path }) else { return }
        let cgroups = configuration.cgroups
        _ = await KernelThreadPool.shared.run { try? cgroups.removeTree(path) }
    }

    // MARK: Termination message

    /// The file in which one attempt leaves its last words: anybody in the container may write it.
    func makeTerminationMessage(
        of container: Container, in pod: Pod, attempt: UInt32
    ) async throws -> ContainerMount {
        let file = configuration.places.terminationMessage(
            pod.metadata.uid ?? "", container: container.name, attempt: attempt)
        try await KernelThreadPool.shared.run { () throws(KernelError) in
            let directory = String(file[..<(file.lastIndex(of: "/") ?? file.endIndex)])
            try FileSystem.makeDirectories(directory, mode: 0o750)
            let descriptor = try OwnedDescriptor.open(file, O_WRONLY | O_CREAT | O_NOFOLLOW, mode: 0o666)
            // Whatever the agent's umask is.
            try kernelCall("fchmod", file) { fchmod(descriptor.raw, 0o666) }
        }
        let path = container.terminationMessagePath.flatMap { $0.isEmpty ? nil : $0 } ?? "/dev/termination-log"
        return ContainerMount(hostPath: file, containerPath: path, isFile: true)
    }

    /// What an agent after this one has to know of a pod that is in no source any more.
    static func labels(of pod: Pod) -> [String: String] {
        var labels = [
            ContainerLabel.source: pod.metadata.annotations?[PodAnnotations.source] ?? PodSource.api.rawValue
        ]
        if let grace = pod.spec.terminationGracePeriodSeconds { labels[ContainerLabel.gracePeriod] = "\(grace)" }
        return labels
    }

    func labels(
        of container: Container, in pod: Pod, attempt: UInt32, image: ResolvedImage
    ) -> [String: String] {
        let resources = Self.label(container.resources)
        var labels = [
            ContainerLabel.allocatedResources: resources, ContainerLabel.appliedResources: resources,
            ContainerLabel.definition: container.definitionHash,
            ContainerLabel.terminationMessageFile: configuration.places.terminationMessage(
                pod.metadata.uid ?? "", container: container.name, attempt: attempt),
            ContainerLabel.terminationMessagePolicy: container.terminationMessagePolicy ?? "File",
        ]
        labels.merge(Self.labels(of: pod)) { own, _ in own }
        if container.lifecycle?.postStart != nil {
            labels[ContainerLabel.postStart] = PostStartState.pending.rawValue
        }
        let signal = container.lifecycle?.stopSignal ?? image.config.stopSignal
        if let number = SignalName.number(of: signal) { labels[ContainerLabel.stopSignal] = "\(number)" }
        return labels
    }
}
