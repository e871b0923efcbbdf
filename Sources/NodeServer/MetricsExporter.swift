import ContainerRuntime
import KubernetesAPI
import LinuxKernel
import NodeAgent
import Probes

/// `/metrics` in Prometheus text format, with kubelet's and cAdvisor's names, so that existing dashboards work. Pure.
struct MetricsExporter {
    private var text = ""

    static func export(
        _ report: UsageReport, instances: [ContainerInstance], pods: [Pod], nodeName: String, version: String
    ) -> String {
        var exporter = MetricsExporter()
        exporter.addNode(pods, instances, nodeName, version)
        exporter.addContainers(report)
        exporter.addProcess()
        return exporter.text
    }

    /// `/metrics/probes`.
    static func export(_ probes: [ProberMetrics]) -> String {
        var exporter = MetricsExporter()
        exporter.addProbes(
            probes.sorted {
                ($0.podUID, $0.containerName, $0.kind.rawValue) < ($1.podUID, $1.containerName, $1.kind.rawValue)
            })
        return exporter.text
    }

    private mutating func addProbes(_ probes: [ProberMetrics]) {
        func labels(_ probe: ProberMetrics) -> [(String, String)] {
            [
                ("container", probe.containerName), ("namespace", probe.podNamespace), ("pod", probe.podName),
                ("pod_uid", probe.podUID), ("probe_type", probe.kind.rawValue),
            ]
        }
        family("prober_probe_total", "counter", "Probes of containers, by result.")
        for probe in probes {
            for (result, count) in [
                ("successful", probe.successful), ("failed", probe.failed), ("unknown", probe.unknown),
            ] {
                sample("prober_probe_total", labels(probe) + [("result", result)], Double(count))
            }
        }
        family("prober_probe_duration_seconds", "histogram", "How long successful probes took.")
        for probe in probes {
            var total: UInt64 = 0
            for (index, count) in probe.durationBuckets.enumerated() {
                total &+= count
                let bounds = ProberMetrics.durationBounds
                let bound = index < bounds.count ? Self.number(bounds[index]) : "+Inf"
                sample("prober_probe_duration_seconds_bucket", labels(probe) + [("le", bound)], Double(total))
            }
            sample("prober_probe_duration_seconds_sum", labels(probe), probe.durationSum)
            sample("prober_probe_duration_seconds_count", labels(probe), Double(total))
        }
    }

    private mutating func addNode(
        _ pods: [Pod], _ instances: [ContainerInstance], _ nodeName: String, _ version: String
    ) {
        family("kubelet_node_name", "gauge", "The node's name. The value is always 1.")
        sample("kubelet_node_name", [("node", nodeName)], 1)
        family("kubernetes_build_info", "gauge", "The version that runs. The value is always 1.")
        sample("kubernetes_build_info", [("git_version", version), ("platform", "linux/amd64")], 1)
        let running = Set(instances.filter(\.isRunning).map(\.metadata.podUID))
        family("kubelet_running_pods", "gauge", "Pods with a running container.")
        sample("kubelet_running_pods", [], Double(running.count))
        family("kubelet_desired_pods", "gauge", "Pods this node is to run, by whether their source is a static file.")
        for (label, wanted) in [("", false), ("true", true)] {
            sample("kubelet_desired_pods", [("static", label)], Double(pods.filter { $0.isStatic == wanted }.count))
        }
        family("kubelet_running_containers", "gauge", "Containers by state.")
        for state in ["created", "exited", "running"] {
            let count = instances.filter { name(of: $0.state) == state }.count
            sample("kubelet_running_containers", [("container_state", state)], Double(count))
        }
    }

    private func name(of state: ContainerInstanceState) -> String {
        switch state {
        case .launching, .created: "created"
        case .running: "running"
        case .exited: "exited"
        }
    }

    private mutating func addContainers(_ report: UsageReport) {
        let entries = report.pods.flatMap(\.containers)
        func add(
            _ name: String, _ type: String, _ help: String, _ value: (UsageReport.ContainerEntry) -> Double?
        ) {
            family(name, type, help)
            for entry in entries { if let value = value(entry) { sample(name, labels(entry), value) } }
        }
        add("container_cpu_usage_seconds_total", "counter", "CPU time used.") {
            $0.usage.cpuUsageNanoseconds.map { Double($0) / 1e9 }
        }
        add("container_cpu_cfs_periods_total", "counter", "CPU quota periods that have passed.") {
            $0.usage.cpuPeriods.map(Double.init)
        }
        add("container_cpu_cfs_throttled_periods_total", "counter", "CPU quota periods that ran out.") {
            $0.usage.throttledPeriods.map(Double.init)
        }
        add("container_memory_working_set_bytes", "gauge", "Memory in use that cannot be dropped.") {
            $0.usage.memoryWorkingSetBytes.map(Double.init)
        }
        add("container_memory_usage_bytes", "gauge", "Memory in use, caches included.") {
            $0.usage.memoryUsageBytes.map(Double.init)
        }
        add("container_memory_rss", "gauge", "Anonymous memory.") { $0.usage.memoryRSSBytes.map(Double.init) }
        add("container_memory_cache", "gauge", "Page cache.") { $0.usage.memoryCacheBytes.map(Double.init) }
        add("container_processes", "gauge", "Processes and threads.") { $0.usage.pidsCurrent.map(Double.init) }
        add("container_oom_events_total", "counter", "Processes killed for lack of memory.") {
            $0.usage.oomKills.map(Double.init)
        }
        add("container_start_time_seconds", "gauge", "Start, in seconds since the epoch.") { $0.startedAt }
    }

    private func labels(_ entry: UsageReport.ContainerEntry) -> [(String, String)] {
        let (metadata, config) = (entry.instance.metadata, entry.instance.config)
        return [
            ("container", metadata.name), ("id", "/" + config.cgroupPath), ("image", config.image),
            ("name", entry.instance.id), ("namespace", metadata.podNamespace), ("pod", metadata.podName),
        ]
    }

    private mutating func addProcess() {
        if let usage = ProcessUsage.read() {
            family("process_resident_memory_bytes", "gauge", "Resident memory of the agent.")
            sample("process_resident_memory_bytes", [], Double(usage.residentBytes))
            family("process_cpu_seconds_total", "counter", "CPU time of the agent.")
            sample("process_cpu_seconds_total", [], usage.cpuSeconds)
            family("process_start_time_seconds", "gauge", "Start of the agent, in seconds since the epoch.")
            sample("process_start_time_seconds", [], usage.startedAt)
        }
    }

    private mutating func family(_ name: String, _ type: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    private mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Double) {
        text += name
        if !labels.isEmpty {
            text += "{" + labels.map { "\($0)=\"\(Self.escape($1))\"" }.joined(separator: ",") + "}"
        }
        text += " " + Self.number(value) + "\n"
    }

    /// Backslash, quote and newline, as the text format wants them.
    private static func escape(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.append(character)
            }
        }
        return escaped
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && value.magnitude < 1e15 ? String(Int64(value)) : "\(value)"
    }
}

/// The agent's own use.
struct ProcessUsage {
    var residentBytes: UInt64
    var cpuSeconds: Double
    /// Seconds since the epoch.
    var startedAt: Double

    static func read() -> ProcessUsage? {
        guard let memory = try? FileSystem.readText("/proc/self/statm"),
            let stat = try? FileSystem.readText("/proc/self/stat"),
            let pages = memory.split(separator: " ").dropFirst().first.flatMap({ UInt64($0) }),
            let end = stat.lastIndex(of: ")")
        else { return nil }
        // After the command name: state is field 3, utime and stime are 14 and 15, in hundredths of a second.
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return nil }
        let ticks = fields.count > 19 ? Double(fields[19]) ?? 0 : 0
        let boot = (try? ProcFS.bootTime()) ?? 0
        return ProcessUsage(
            residentBytes: pages * 4096, cpuSeconds: (user + system) / 100, startedAt: Double(boot) + ticks / 100)
    }
}
