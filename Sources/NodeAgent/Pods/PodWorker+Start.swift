import ContainerImages
import ContainerRuntime
import Glibc
import KubernetesAPI
import KubernetesClient
import LinuxKernel
import Logging
import Volumes

extension PodWorker {
    /// Creates and starts one attempt of a container. What prevents it becomes a blocker, an event and the waiting reason.
    func start(_ name: String, attempt: UInt32) async {
        guard let container = container(named: name), let sandbox = await context.runtime.readySandbox(ofPod: uid)
        else {
            return
        }
        guard await mountVolumes() else { return }
        guard let image = await image(for: container) else { return }
        let config: ContainerConfig
        do {
            try await prepare(sandbox)
            config = try await containerConfig(container, attempt: attempt, sandbox: sandbox, image: image)
        } catch {
            block(name, reason: "CreateContainerConfigError", message: "\(error)", retryAfter: .seconds(10))
            record(.warning, "Failed", "Error: \(error)", container: name)
            return
        }
        // Counted from the first restart on: the first start has no delay before the next.
        if attempt > firstAttempts[name] ?? 0 || exitSeenID[name] != nil {
            backOff.recordTry(PodReconciler.backOffKey(pod, container), now: context.monotonic())
        }
        await launch(container, config)
    }

    private func launch(_ container: Container, _ config: ContainerConfig) async {
        let name = container.name
        let instance: ContainerInstance
        do throws(RuntimeError) {
            instance = try await context.runtime.createContainer(config)
        } catch {
            record(.warning, "Failed", "Error: \(error)", container: name)
            if error.code == .alreadyExists { await clearAttempt(config.cgroupPath) }
            block(name, reason: "CreateContainerError", message: error.message, retryAfter: .seconds(10))
            return
        }
        reportShortfalls(instance.shortfalls)
        record(.normal, "Created", "Container created: \(name)", container: name)
        let link = context.configuration.places.logLink(pod, container: name, id: instance.id)
        _ = await KernelThreadPool.shared.run { symlink(config.logPath, link) }
        do throws(RuntimeError) {
            try await context.runtime.startContainer(instance.id)
        } catch {
            record(.warning, "Failed", "Error: \(error)", container: name)
            logger.warning("container not started", metadata: ["container": "\(name)", "error": "\(error)"])
            return
        }
        record(.normal, "Started", "Container started: \(name)", container: name)
        blockers[name] = nil
    }

    /// An instance in the kernel that the runtime does not know: nothing of it may run beside a new one.
    private func clearAttempt(_ cgroupPath: String) async {
        let known = await context.runtime.containers(ofPod: uid).contains { $0.config.cgroupPath == cgroupPath }
        guard !known else { return }
        let cgroups = context.configuration.cgroups
        _ = await KernelThreadPool.shared.run { try? cgroups.removeTree(cgroupPath) }
    }

    func container(named name: String) -> Container? {
        (pod.spec.initContainers ?? []).first { $0.name == name } ?? pod.spec.containers.first { $0.name == name }
    }

    func block(_ name: String, reason: String, message: String, retryAfter: Duration) {
        blockers[name] = PodReconciler.Blocker(
            reason: reason, message: message, until: context.monotonic() + retryAfter)
    }

    // MARK: Volumes

    var volumes: VolumeManager { pod.isStatic ? context.staticVolumes : context.volumes }

    private func mountVolumes() async -> Bool {
        if mountedVolumes != nil { return true }
        do {
            mountedVolumes = try await volumes.mount(pod)
            return true
        } catch {
            record(.warning, "FailedMount", "\(error)")
            for container in pod.spec.containers + (pod.spec.initContainers ?? []) {
                block(container.name, reason: "ContainerCreating", message: "\(error)", retryAfter: .seconds(2))
            }
            return false
        }
    }

    // MARK: Images

    /// What a container's root is made of.
    struct ResolvedImage: Sendable {
        var reference: String
        var id: String
        var layers: [String]
        var config: ImageConfig
    }

    private func image(for container: Container) async -> ResolvedImage? {
        let (name, reference) = (container.name, container.image ?? "")
        if ImageReference.isHostRootfs(reference) {
            guard context.configuration.allowsHostRootfsFromAPI || pod.isStatic else {
                let message =
                    "image \"host:///\" is allowed only for manifest files and the embedded endpoint: use an imported image"
                return imageFailed(name, reason: "ErrImageNeverPull", message)
            }
            return ResolvedImage(
                reference: reference, id: reference, layers: RootFilesystem.host.lowerDirectories,
                config: ImageConfig())
        }
        do throws(ImageError) { _ = try ImageReference(parsing: reference) } catch {
            return imageFailed(
                name, reason: "InvalidImageName", "Failed to apply default image tag \"\(reference)\": \(error)")
        }
        guard let stored = await context.images.resolve(reference) else {
            if container.imagePullPolicy == "Never" {
                return imageFailed(
                    name, reason: "ErrImageNeverPull",
                    "Container image \"\(reference)\" is not present with pull policy of Never")
            }
            return imageFailed(
                name, reason: "ErrImagePull",
                "image \"\(reference)\" is not on this node, and this version does not pull from registries: import it with `swiftlet image import FILE --name \(reference)`"
            )
        }
        record(
            .normal, "Pulled",
            "Container image \"\(reference)\" already present on machine and can be accessed by the pod",
            container: name)
        return ResolvedImage(
            reference: reference, id: stored.id, layers: await context.images.layers(of: stored), config: stored.config)
    }

    private func imageFailed(_ name: String, reason: String, _ message: String) -> ResolvedImage? {
        let key = "image/" + name
        let now = context.monotonic()
        backOff.recordTry(key, now: now)
        let isRepeated = blockers[name].map { $0.reason == "ErrImagePull" || $0.reason == "ImagePullBackOff" } ?? false
        let shown = reason == "ErrImagePull" && isRepeated ? "ImagePullBackOff" : reason
        let text = shown == "ImagePullBackOff" ? "Back-off pulling image: \(message)" : message
        block(name, reason: shown, message: text, retryAfter: backOff.delay(key))
        record(.warning, shown == "ImagePullBackOff" ? "BackOff" : "Failed", text, container: name)
        return nil
    }

    // MARK: Configuration

    private func containerConfig(
        _ container: Container, attempt: UInt32, sandbox: PodSandbox, image: ResolvedImage
    ) async throws -> ContainerConfig {
        let configuration = context.configuration
        let (places, pod) = (configuration.places, pod)
        let userText = image.config.user
        let imageUser = try await KernelThreadPool.shared.run { () throws(ImageError) in
            try ImageUser.resolve(user: userText, lowerDirectories: image.layers)
        }
        let identity = try ContainerIdentity.resolve(pod, container, imageUser: imageUser, imageUserText: userText)
        let variables = try await environment(of: container, image: image, home: identity.home)
        let context = container.securityContext
        let capabilities = try CapabilitySet.containerDefault(
            adding: context?.capabilities?.add ?? [], dropping: context?.capabilities?.drop ?? [])
        let directory = places.logDirectory(pod, container: container.name)
        let links = places.containerLogLinksDirectory
        try await KernelThreadPool.shared.run { () throws(KernelError) in
            try FileSystem.makeDirectories(directory, mode: 0o755)
            try FileSystem.makeDirectories(links, mode: 0o755)
        }
        let seccomp = context?.seccompProfile ?? pod.spec.securityContext?.seccompProfile
        return ContainerConfig(
            sandboxID: sandbox.id,
            metadata: ContainerMetadata(
                podUID: uid, podNamespace: pod.metadata.namespace ?? "", podName: pod.metadata.name ?? "",
                name: container.name, attempt: attempt),
            image: image.reference, imageID: image.id, rootLayers: image.layers,
            arguments: try arguments(of: container, image: image, environment: variables),
            environment: variables.entries, workingDirectory: workingDirectory(container, image),
            userID: identity.userID, groupID: identity.groupID, supplementaryGroups: identity.supplementaryGroups,
            mounts: try await mounts(of: container, environment: variables.variables), capabilities: capabilities,
            noNewPrivileges: context?.allowPrivilegeEscalation == false,
            seccomp: seccomp?.type == "Unconfined" ? .unconfined : .runtimeDefault,
            readOnlyRoot: context?.readOnlyRootFilesystem == true,
            outOfMemoryScore: PodResources.outOfMemoryScore(
                pod, container, nodeMemoryBytes: self.context.nodeMemoryBytes),
            cgroupPath: "\(PodPlaces.cgroup(pod))/\(container.name).\(attempt)",
            resources: PodResources.container(container, podPidsLimit: configuration.podPidsLimit),
            logPath: places.log(pod, container: container.name, attempt: attempt),
            labels: ["definition": container.definitionHash])
    }

    private func workingDirectory(_ container: Container, _ image: ResolvedImage) -> String {
        let own = container.workingDir ?? ""
        if !own.isEmpty { return own }
        return image.config.workingDirectory.isEmpty ? "/" : image.config.workingDirectory
    }

    /// command replaces the image's entrypoint and its default arguments; args replaces only the latter.
    private func arguments(
        of container: Container, image: ResolvedImage, environment: ContainerEnvironment
    ) throws(EnvironmentError) -> [String] {
        let command = try environment.expand(container.command ?? [])
        let args = try environment.expand(container.args ?? [])
        if !command.isEmpty { return command + args }
        return image.config.entrypoint + (args.isEmpty ? image.config.command : args)
    }

    private func mounts(of container: Container, environment: [String: String]) async throws -> [ContainerMount] {
        let points = try await volumes.containerMounts(
            pod: pod, container: container, volumes: mountedVolumes ?? [:], environment: environment)
        var mounts = points.map { point in
            ContainerMount(
                hostPath: point.hostPath, containerPath: point.containerPath, isFile: point.isFile,
                readOnly: point.readOnly, propagation: ContainerMount.Propagation(point.propagation))
        }
        let places = context.configuration.places
        for (source, target) in [(places.hostsFile(uid), "/etc/hosts"), (places.resolvConf(uid), "/etc/resolv.conf")] {
            // A volume of the user's own at that place wins.
            guard !mounts.contains(where: { $0.containerPath == target }) else { continue }
            mounts.append(ContainerMount(hostPath: source, containerPath: target, isFile: true))
        }
        return mounts
    }
}
