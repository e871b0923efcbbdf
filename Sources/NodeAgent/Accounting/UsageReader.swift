import ContainerRuntime
import KubernetesAPI
import LinuxKernel

/// One reading of everything, made on a thread that may block.
struct UsageReader: Sendable {
    let pods: [Pod]
    let instances: [ContainerInstance]
    let sandboxes: [PodSandbox]
    let configuration: NodeAgentConfiguration
    let scope: UsageReport.Scope

    private static let groups = ["kubepods", "kubepods/burstable", "kubepods/besteffort"]

    /// What has just gone is left out.
    func read() -> UsageReport {
        let time = Timestamp.now()
        let instancesByPod = Dictionary(grouping: instances) { $0.metadata.podUID }
        // A pod whose sandbox was made anew has several; the newest is in use.
        let sandboxesByPod = Dictionary(sandboxes.map { ($0.podUID, $0) }) { $0.attempt > $1.attempt ? $0 : $1 }
        let cgroups = configuration.cgroups
        var report = UsageReport(time: time, scope: scope, node: NodeUsage.read(scope))
        report.pods = pods.compactMap { pod in
            guard let uid = pod.metadata.uid, let path = LocalPodHost.cgroupPath(of: pod),
                let usage = try? cgroups.usage(path, podScope)
            else { return nil }
            var entry = UsageReport.PodEntry(
                uid: uid, namespace: pod.metadata.namespace ?? "", name: pod.metadata.name ?? "",
                labels: pod.metadata.labels ?? [:], cgroupPath: path, startedAt: pod.status?.startTime, usage: usage,
                sandboxID: sandboxesByPod[uid]?.id)
            entry.containers = (instancesByPod[uid] ?? []).compactMap(container)
                .sorted { $0.instance.metadata.name < $1.instance.metadata.name }
            return entry
        }
        guard case .everything = scope else { return report }
        report.groups = Self.groups.compactMap { path in
            (try? cgroups.usage(path, podScope)).map { UsageReport.GroupEntry(cgroupPath: path, usage: $0) }
        }
        report.node.fileSystem = try? FileSystemUsage.read(configuration.rootDirectory)
        report.node.imageFileSystem = try? FileSystemUsage.read(configuration.rootDirectory + "/images")
        return report
    }

    private func container(_ instance: ContainerInstance) -> UsageReport.ContainerEntry? {
        guard case .running(_, let startedAt) = instance.state,
            let usage = try? configuration.cgroups.usage(instance.config.cgroupPath, containerScope(instance))
        else { return nil }
        return UsageReport.ContainerEntry(
            instance: instance, usage: usage, startedAt: Timestamp(nanosecondsSinceEpoch: startedAt))
    }

    /// A pod's limits are its containers', as are its kills.
    private var podScope: CgroupUsage.Scope {
        switch scope {
        case .cpuAndMemory: []
        case .everything: [.pressure, .io, .tasks, .hugePages]
        }
    }

    private func containerScope(_ instance: ContainerInstance) -> CgroupUsage.Scope {
        switch scope {
        case .cpuAndMemory: .cpuAndMemory
        case .everything where instance.config.resources.cpuQuotaMicroseconds ?? 0 > 0:
            [.limits, .events, .pressure, .io, .tasks, .hugePages, .processes, .throttling]
        case .everything: [.limits, .events, .pressure, .io, .tasks, .hugePages, .processes]
        }
    }
}
