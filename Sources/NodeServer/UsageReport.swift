import ContainerRuntime
import KubernetesAPI
import LinuxKernel
import NodeAgent

/// What containers, pods and the node use, read from the kernel at one moment.
struct UsageReport: Sendable {
    struct ContainerEntry: Sendable {
        var instance: ContainerInstance
        var usage: CgroupUsage
        /// Seconds since the epoch.
        var startedAt: Double
    }

    struct PodEntry: Sendable {
        var uid: String
        var namespace: String
        var name: String
        var startedAt: Timestamp?
        var usage: CgroupUsage
        var containers: [ContainerEntry]
    }

    var time: Timestamp
    var node: CgroupUsage
    var memory: ProcFS.MemoryInformation?
    var pods: [PodEntry]

    /// Reads everything; what has just gone is left out.
    static func read(_ agent: NodeAgent, _ host: LocalPodHost) async -> UsageReport {
        let running = await host.runtime.containers().filter(\.isRunning)
        let pods = await agent.pods()
        let cgroups = host.configuration.cgroups
        return await KernelThreadPool.shared.run {
            let byPod = Dictionary(grouping: running) { $0.metadata.podUID }
            let entries = pods.compactMap { pod -> PodEntry? in
                guard let uid = pod.metadata.uid, let path = LocalPodHost.cgroupPath(of: pod),
                    let usage = try? cgroups.usage(path)
                else { return nil }
                let containers = (byPod[uid] ?? []).compactMap { instance -> ContainerEntry? in
                    guard case .running(_, let startedAt) = instance.state,
                        let usage = try? cgroups.usage(instance.config.cgroupPath)
                    else { return nil }
                    return ContainerEntry(instance: instance, usage: usage, startedAt: Double(startedAt) / 1e9)
                }
                return PodEntry(
                    uid: uid, namespace: pod.metadata.namespace ?? "", name: pod.metadata.name ?? "",
                    startedAt: pod.status?.startTime, usage: usage,
                    containers: containers.sorted { $0.instance.metadata.name < $1.instance.metadata.name })
            }
            return UsageReport(
                time: .now(), node: NodeUsage.read(), memory: try? ProcFS.memory(), pods: entries)
        }
    }
}

/// The whole machine's use: /proc/stat and /proc/meminfo, which hold on every cgroup version.
enum NodeUsage {
    static func read() -> CgroupUsage {
        var usage = CgroupUsage()
        if let text = try? FileSystem.readText("/proc/stat") { usage.cpuUsageNanoseconds = busyNanoseconds(text) }
        if let memory = try? ProcFS.memory() {
            let used = memory.totalBytes - min(memory.freeBytes, memory.totalBytes)
            let needed = memory.totalBytes - min(memory.availableBytes, memory.totalBytes)
            usage.memoryUsageBytes = used
            // What could be had back is what the kernel would drop first.
            usage.memoryInactiveFileBytes = used - min(needed, used)
        }
        return usage
    }

    /// The first line: user nice system idle iowait irq softirq steal, in hundredths of a second (USER_HZ).
    static func busyNanoseconds(_ text: String) -> UInt64? {
        guard let line = text.split(separator: "\n").first, line.hasPrefix("cpu ") else { return nil }
        let ticks = line.split(separator: " ").dropFirst().compactMap { UInt64($0) }
        guard ticks.count >= 5 else { return nil }
        let busy = ticks.prefix(8).reduce(0, &+) &- ticks[3] &- ticks[4]
        return busy &* 10_000_000
    }
}
