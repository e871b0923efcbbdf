import ContainerImages
import ContainerRuntime
import KubernetesAPI
import LinuxKernel
import Volumes

extension LocalPodHost {
    /// The container's environment, with the ConfigMaps and Secrets of this moment.
    private func environment(
        of container: Container, in pod: Pod, image: ResolvedImage, home: String
    ) async throws -> ContainerEnvironment {
        let objects = await PodObjects.fetch(
            ContainerEnvironment.objectNames(for: container), namespace: pod.metadata.namespace ?? "",
            from: self.objects(of: pod))
        var services = parts.services()
        if let reach = parts.apiServer {
            services = reach.services(services, forHostNetwork: pod.spec.hostNetwork == true)
        }
        let environment = try ContainerEnvironment.build(
            pod: pod, container: container,
            inputs: EnvironmentInputs(
                objects: objects, services: services,
                placement: DownwardAPI.Placement(
                    nodeName: configuration.nodeName, podIPs: memory(pod.metadata.uid ?? "").podIPs, hostIPs: hostIPs),
                nodeAllocatable: parts.nodeAllocatable(),
                hostname: try PodHostname(pod, configuration).kernelName(),
                imageEnvironment: image.config.env, home: home))
        if !environment.skippedKeys.isEmpty {
            record(
                .warning, "InvalidEnvironmentVariableNames",
                "Keys [\(environment.skippedKeys.joined(separator: ", "))] were skipped: they are no variable names",
                of: pod, container: container.name)
        }
        return environment
    }

    // MARK: Configuration

    func containerConfig(
        _ container: Container, of pod: Pod, attempt: UInt32, sandbox: PodSandbox, image: ResolvedImage
    ) async throws -> ContainerConfig {
        let (places, uid) = (configuration.places, pod.metadata.uid ?? "")
        let userText = image.config.user
        let sought = try ContainerIdentity.userText(pod, container, imageUserText: userText)
        let imageUser = try await KernelThreadPool.shared.run { () throws(ImageError) in
            try ImageUser.resolve(user: sought, lowerDirectories: image.layers)
        }
        let identity = try ContainerIdentity.resolve(pod, container, imageUser: imageUser, imageUserText: userText)
        if let ids = sandbox.ids { try identity.requireIDs(below: ids.count) }
        let variables = try await environment(of: container, in: pod, image: image, home: identity.home)
        let security = container.securityContext
        let isPrivileged = security?.privileged == true
        let capabilities = try capabilities(of: container, in: pod)
        let directory = places.logDirectory(pod, container: container.name)
        let links = places.containerLogLinksDirectory
        try await KernelThreadPool.shared.run { () throws(KernelError) in
            try FileSystem.makeDirectories(directory, mode: 0o755)
            try FileSystem.makeDirectories(links, mode: 0o755)
        }
        var config = ContainerConfig(
            sandboxID: sandbox.id,
            metadata: ContainerMetadata(
                podUID: uid, podNamespace: pod.metadata.namespace ?? "", podName: pod.metadata.name ?? "",
                name: container.name, attempt: attempt),
            image: image.reference, imageID: image.id, rootLayers: image.layers,
            arguments: try arguments(of: container, image: image, environment: variables),
            environment: variables.entries, workingDirectory: workingDirectory(container, image),
            userID: identity.userID, groupID: identity.groupID, supplementaryGroups: identity.supplementaryGroups,
            mounts: try await mounts(
                of: container, in: pod, attempt: attempt, environment: variables.variables),
            capabilities: capabilities, privileged: isPrivileged,
            isProcUnmasked: security?.procMount == "Unmasked",
            noNewPrivileges: security?.allowPrivilegeEscalation == false,
            seccomp: try ContainerConfig.Seccomp(of: container, in: pod.spec),
            appArmorProfile: try await appArmorProfile(of: container, in: pod),
            readOnlyRoot: security?.readOnlyRootFilesystem == true, resourceLimits: configuration.resourceLimits,
            outOfMemoryScore: OutOfMemoryScore.score(
                of: container, in: pod, nodeMemoryBytes: machine.memoryBytes),
            cgroupPath: "\(PodPlaces.cgroup(pod))/\(container.name).\(attempt)",
            resources: values.container(container, of: pod),
            logPath: places.log(pod, container: container.name, attempt: attempt),
            labels: labels(of: container, in: pod, attempt: attempt, image: image))
        config.devices = try devices(of: container, in: pod)
        config.isTerminal = container.tty == true
        config.keepsInput = container.stdin == true
        config.closesInputAfterFirst = container.stdinOnce == true
        return config
    }

    private func devices(of container: Container, in pod: Pod) throws -> [ContainerDevice] {
        let points = try volumes(of: pod).containerDevices(
            pod: pod, container: container, volumes: memory(pod.metadata.uid ?? "").volumes ?? [:])
        return points.map { point in
            ContainerDevice(
                containerPath: point.containerPath, major: point.node.major, minor: point.node.minor,
                mode: point.node.mode, userID: point.node.userID, groupID: point.node.groupID, readOnly: point.readOnly)
        }
    }

    /// What the container asks for. A name that the node cannot give is refused; of "all" it gets what there is, and its pod is
    /// told what there is not.
    private func capabilities(
        of container: Container, in pod: Pod
    ) throws -> CapabilitySet {
        let (security, held) = (container.securityContext, CapabilitySet.held)
        let added = security?.capabilities?.add ?? []
        let wanted = try CapabilitySet.containerDefault(adding: added, dropping: security?.capabilities?.drop ?? [])
        let names = added.filter { $0.uppercased() != "ALL" }
        let lacking = CapabilitySet(names.compactMap(Capability.init(name:))).subtracting(held).names
        guard lacking.isEmpty else {
            throw ContainerConfigError(
                "securityContext.capabilities.add: this node does not have \(lacking.joined(separator: ", ")) itself; "
                    + "start swiftlet with it in its bounding set")
        }
        let missing = (security?.privileged == true ? .all : wanted).subtracting(held).names
        if !missing.isEmpty {
            tellOnce(
                "container \(container.name) runs without \(missing.joined(separator: ", ")): this node does not have it "
                    + "itself",
                "CapabilitiesNotAvailable", of: pod)
        }
        return wanted
    }

    /// Looked up once more: a profile may have been removed since the pod was taken.
    private func appArmorProfile(of container: Container, in pod: Pod) async throws -> String? {
        let host = configuration.appArmor
        let state = await KernelThreadPool.shared.run { AppArmorState(host: host, of: pod) }
        do throws(AppArmorProblem) {
            return try state.profile(
                for: AppArmorRequest(of: container, in: pod),
                isPrivileged: container.securityContext?.privileged == true)
        } catch { throw ContainerConfigError("cannot enforce AppArmor: \(error.text)") }
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

    private func mounts(
        of container: Container, in pod: Pod, attempt: UInt32, environment: [String: String]
    ) async throws -> [ContainerMount] {
        let (places, uid) = (configuration.places, pod.metadata.uid ?? "")
        let points = try await volumes(of: pod).containerMounts(
            pod: pod, container: container, volumes: memory(uid).volumes ?? [:], environment: environment)
        var mounts = points.map { point in
            ContainerMount(
                hostPath: point.hostPath, containerPath: point.containerPath, isFile: point.isFile,
                readOnly: point.readOnly, readOnlyBelow: point.readOnlyBelow,
                propagation: ContainerMount.Propagation(point.propagation), forbidsLinks: point.forbidsLinks,
                hasPodIDs: point.hasPodIDs)
        }
        for (source, target) in [(places.hostsFile(uid), "/etc/hosts"), (places.resolvConf(uid), "/etc/resolv.conf")] {
            // A volume of the user's own at that place wins.
            guard !mounts.contains(where: { $0.containerPath == target }) else { continue }
            mounts.append(ContainerMount(hostPath: source, containerPath: target, isFile: true))
        }
        let message = try await makeTerminationMessage(of: container, in: pod, attempt: attempt)
        if !mounts.contains(where: { $0.containerPath == message.containerPath }) { mounts.append(message) }
        return mounts
    }
}

extension ContainerMount.Propagation {
    init(_ propagation: VolumeMountPoint.Propagation) {
        switch propagation {
        case .none: self = .none
        case .hostToContainer: self = .hostToContainer
        case .bidirectional: self = .bidirectional
        }
    }
}
