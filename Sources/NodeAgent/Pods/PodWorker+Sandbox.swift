import ContainerRuntime
import Glibc
import KubernetesAPI
import KubernetesClient
import LinuxKernel
import Logging
import PodNetwork
import Volumes

extension PodWorker {
    /// Makes the pod's cgroup, namespaces and network. What fails is told, undone and tried again.
    func createSandbox(attempt: UInt32) async {
        let (pod, configuration) = (pod, context.configuration)
        var made: PodSandbox?
        do {
            try await KernelThreadPool.shared.run { () throws(KernelError) in
                try FileSystem.makeDirectories(configuration.places.directory(pod.metadata.uid ?? ""), mode: 0o750)
            }
            let sandbox = try await context.runtime.runPodSandbox(
                PodSandboxConfig(
                    podUID: uid, podNamespace: pod.metadata.namespace ?? "", podName: pod.metadata.name ?? "",
                    attempt: attempt, hostname: hostname, hostNetwork: pod.spec.hostNetwork == true))
            made = sandbox
            isSandboxPrepared = false
            try await prepare(sandbox)
            if attempt > 0 {
                record(.normal, "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
            }
            blockers = [:]
        } catch {
            if let made { try? await context.runtime.removePodSandbox(made.id) }
            guard stage == .syncing else { return }
            record(.warning, "FailedCreatePodSandBox", "Failed to create pod sandbox: \(error)")
            logger.warning("sandbox not created", metadata: ["error": "\(error)"])
            try? await ContinuousClock().sleep(for: .seconds(1))
        }
    }

    /// What a sandbox needs before a container starts in it: network, files, cgroup. Each step finds what is there, so an agent
    /// that adopted the sandbox of one that died half-way completes it.
    func prepare(_ sandbox: PodSandbox) async throws {
        try await makeCgroup()
        if isSandboxPrepared { return }
        try await connect(sandbox)
        try await writeFiles()
        isSandboxPrepared = true
    }

    /// The pod's cgroup with its limits, in every hierarchy.
    private func makeCgroup() async throws(KernelError) {
        let (pod, configuration) = (pod, context.configuration)
        let shortfalls = try await KernelThreadPool.shared.run { () throws(KernelError) in
            let cgroup = PodPlaces.cgroup(pod)
            try configuration.cgroups.createIfNeeded(cgroup)
            return try configuration.cgroups.apply(
                PodResources.pod(pod, pidsLimit: configuration.podPidsLimit), to: cgroup)
        }
        reportShortfalls(shortfalls)
    }

    private func connect(_ sandbox: PodSandbox) async throws {
        guard let namespace = sandbox.networkNamespacePath else {
            podIPs = context.hostIPs
            return
        }
        let status = try await context.network.attach(
            AttachRequest(
                sandboxID: sandbox.id, namespacePath: namespace, podNamespace: sandbox.podNamespace,
                podName: sandbox.podName))
        podIPs = status.addresses.map(\.description)
    }

    /// spec.hostname, or the pod's name cut to what a kernel host name holds; the node's own with the host's network.
    var hostname: String {
        if pod.spec.hostNetwork == true { return context.configuration.nodeName }
        let name = pod.spec.hostname.flatMap { $0.isEmpty ? nil : $0 } ?? pod.metadata.name ?? ""
        var cut = Substring(name.prefix(63))
        while let last = cut.last, last == "-" || last == "." { cut.removeLast() }
        return String(cut)
    }

    /// /etc/hosts and /etc/resolv.conf, shared by the pod's containers.
    private func writeFiles() async throws {
        let aliases = (pod.spec.hostAliases ?? []).map { HostsFile.Alias(ip: $0.ip, hostnames: $0.hostnames ?? []) }
        let (places, uid, hostname) = (context.configuration.places, uid, hostname)
        let addresses = podIPs.compactMap { IPAddress($0) }
        let usesHostNetwork = pod.spec.hostNetwork == true
        let subdomain = pod.spec.subdomain ?? ""
        let domain =
            subdomain.isEmpty
            ? "" : "\(subdomain).\(pod.metadata.namespace ?? "").svc.\(context.configuration.clusterDomain)"
        let resolver = ResolvConf(resolverInput(hostFile: try? FileSystem.readText("/etc/resolv.conf")))
        for warning in resolver.warnings { record(.warning, warning.reason.rawValue, warning.message) }
        try await KernelThreadPool.shared.run { () throws(KernelError) in
            let hosts =
                usesHostNetwork
                ? HostsFile.hostNetworkText(
                    hostFile: (try? FileSystem.readText("/etc/hosts")) ?? "", aliases: aliases)
                : HostsFile.text(podIPs: addresses, hostname: hostname, domain: domain, aliases: aliases)
            try FileSystem.writeAtomically(places.hostsFile(uid), Array(hosts.utf8), mode: 0o644, durable: false)
            try FileSystem.writeAtomically(
                places.resolvConf(uid), Array(resolver.text.utf8), mode: 0o644, durable: false)
        }
    }

    private func resolverInput(hostFile: String?) -> ResolvConf.Input {
        let dns = pod.spec.dnsConfig
        return ResolvConf.Input(
            policy: ResolvConf.Policy(rawValue: pod.spec.dnsPolicy ?? "ClusterFirst") ?? .clusterFirst,
            usesHostNetwork: pod.spec.hostNetwork == true, podNamespace: pod.metadata.namespace ?? "",
            clusterDNS: context.configuration.clusterDNS, clusterDomain: context.configuration.clusterDomain,
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
