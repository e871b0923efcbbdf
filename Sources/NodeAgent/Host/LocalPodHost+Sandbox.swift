import ContainerRuntime
public import KubernetesAPI
import KubernetesClient
import LinuxKernel
import Logging
import PodNetwork
import Volumes

extension LocalPodHost {
    public func createSandbox(for pod: Pod, attempt: UInt32) async throws(PodHostError) {
        let uid = pod.metadata.uid ?? ""
        var made: PodSandbox?
        async let tokens: Void = fetchTokens(of: pod)
        do {
            let directory = configuration.places.directory(uid)
            try await KernelThreadPool.shared.run { () throws(KernelError) in
                try FileSystem.makeDirectories(directory, mode: 0o750)
            }
            let config = try sandboxConfig(of: pod, attempt: attempt)
            // One that lost its process, or its namespaces, makes way for the new one.
            for lost in await parts.runtime.sandboxes(ofPod: uid) {
                try await parts.runtime.stopPodSandbox(lost.id)
                await parts.network.detach(sandboxID: lost.id)
            }
            // Where the sandbox's own process goes.
            if config.processNamespace == .pod { try await makeCgroup(of: pod) }
            let sandbox = try await parts.runtime.runPodSandbox(config)
            made = sandbox
            try await prepare(sandbox, for: pod)
            await tokens
        } catch {
            if let made {
                await parts.network.detach(sandboxID: made.id)
                try? await parts.runtime.removePodSandbox(made.id)
            }
            throw PodHostError(reason: "FailedCreatePodSandBox", message: "Failed to create pod sandbox: \(error)")
        }
    }

    private func sandboxConfig(of pod: Pod, attempt: UInt32) throws(ContainerConfigError) -> PodSandboxConfig {
        let (metadata, spec) = (pod.metadata, pod.spec)
        let sysctls = (spec.securityContext?.sysctls ?? []).map { (PodAdmission.normalized($0.name), $0.value) }
        let processNamespace: ProcessNamespace =
            spec.hostPID == true ? .host : spec.shareProcessNamespace == true ? .pod : .container
        return PodSandboxConfig(
            podUID: metadata.uid ?? "", podNamespace: metadata.namespace ?? "", podName: metadata.name ?? "",
            attempt: attempt, hostname: try PodHostname(pod, configuration).kernelName(),
            hostNetwork: spec.hostNetwork == true, hostIPC: spec.hostIPC == true, processNamespace: processNamespace,
            sysctls: Dictionary(sysctls) { first, _ in first }, cgroupPath: PodPlaces.cgroup(pod),
            hasUserNamespace: spec.hostUsers == false, labels: Self.labels(of: pod))
    }

    /// What a sandbox needs before a container starts in it: network, files, cgroup. Each step finds what is there, so an agent
    /// that adopted the sandbox of one that died half-way completes it.
    func prepare(_ sandbox: PodSandbox, for pod: Pod) async throws {
        try await makeCgroup(of: pod)
        if memory(sandbox.podUID).preparedSandbox == sandbox.id { return }
        try await connect(sandbox)
        try await parts.runtime.applySysctls(ofSandbox: sandbox.id)
        try await writeFiles(of: pod)
        remember(sandbox.podUID) { $0.preparedSandbox = sandbox.id }
    }

    /// The pod's cgroup with its limits, in every hierarchy.
    private func makeCgroup(of pod: Pod) async throws(KernelError) {
        let (configuration, values) = (configuration, values)
        let shortfalls = try await KernelThreadPool.shared.run { () throws(KernelError) in
            let cgroup = PodPlaces.cgroup(pod)
            try configuration.cgroups.createIfNeeded(cgroup)
            return try configuration.cgroups.apply(values.pod(pod), to: cgroup)
        }
        reportShortfalls(shortfalls, of: pod)
    }

    private func connect(_ sandbox: PodSandbox) async throws {
        guard let namespace = sandbox.networkNamespacePath else {
            remember(sandbox.podUID) { $0.podIPs = hostIPs }
            return
        }
        let status = try await parts.network.attach(
            AttachRequest(
                sandboxID: sandbox.id, namespacePath: namespace, podNamespace: sandbox.podNamespace,
                podName: sandbox.podName))
        remember(sandbox.podUID) { $0.podIPs = status.addresses.map(\.description) }
    }

    /// /etc/hosts and /etc/resolv.conf, shared by the pod's containers.
    private func writeFiles(of pod: Pod) async throws {
        let aliases = (pod.spec.hostAliases ?? []).map { HostsFile.Alias(ip: $0.ip, hostnames: $0.hostnames ?? []) }
        let (places, uid, name) = (configuration.places, pod.metadata.uid ?? "", PodHostname(pod, configuration))
        let addresses = memory(uid).podIPs.compactMap { IPAddress($0) }
        let usesHostNetwork = pod.spec.hostNetwork == true
        let resolver = ResolvConf(resolverInput(of: pod, hostFile: try? FileSystem.readText("/etc/resolv.conf")))
        for warning in resolver.warnings { record(.warning, warning.reason.rawValue, warning.message, of: pod) }
        try await KernelThreadPool.shared.run { () throws(KernelError) in
            let hosts =
                usesHostNetwork
                ? HostsFile.hostNetworkText(
                    hostFile: (try? FileSystem.readText("/etc/hosts")) ?? "", aliases: aliases)
                : HostsFile.text(podIPs: addresses, hostname: name.host, domain: name.domain, aliases: aliases)
            try FileSystem.writeAtomically(places.hostsFile(uid), Array(hosts.utf8), mode: 0o644, durable: false)
            try FileSystem.writeAtomically(
                places.resolvConf(uid), Array(resolver.text.utf8), mode: 0o644, durable: false)
        }
    }

    private func resolverInput(of pod: Pod, hostFile: String?) -> ResolvConf.Input {
        let dns = pod.spec.dnsConfig
        return ResolvConf.Input(
            policy: ResolvConf.Policy(rawValue: pod.spec.dnsPolicy ?? "ClusterFirst") ?? .clusterFirst,
            usesHostNetwork: pod.spec.hostNetwork == true, podNamespace: pod.metadata.namespace ?? "",
            clusterDNS: configuration.clusterDNS, clusterDomain: configuration.clusterDomain,
            hostFile: hostFile,
            podConfig: dns.map { dns in
                ResolvConf.PodConfig(
                    nameservers: dns.nameservers ?? [], searches: dns.searches ?? [],
                    options: (dns.options ?? []).map {
                        ResolvConf.PodConfig.Option(name: $0.name ?? "", value: $0.value)
                    })
            })
    }
}
