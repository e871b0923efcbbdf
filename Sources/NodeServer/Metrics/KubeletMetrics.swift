import ContainerRuntime
import KubernetesAPI
import LinuxKernel
import NodeAgent
import Probes

/// `/metrics` and `/metrics/probes`: the agent itself, under kubelet's names where they mean the same here. Pure.
struct KubeletMetrics {
    /// What `/metrics` is made from.
    struct Facts {
        var nodeName: String
        var version: String
        var architecture: String
        var pods: [Pod]
        var instances: [ContainerInstance]
        var counts: AgentCounters.Counts
        var durations: AgentDurations.Snapshot
        /// By signal.
        var evictions: [String: UInt64]
        /// By what was lacking.
        var preemptions: [String: UInt64]
        var claims: [ClaimUsage]
        var requests: [(key: HTTPRequestMetrics.Key, figures: HTTPRequestMetrics.Figures)]
        var process: ProcessUsage?
        var maximumDescriptors: UInt64?
        /// Of layers, from registries.
        var receivedImageBytes: UInt64 = 0
    }

    private var writer = ExpositionWriter(reserving: 16 << 10)

    static func export(_ facts: Facts) -> [UInt8] {
        var metrics = KubeletMetrics()
        metrics.addNode(facts)
        metrics.addPods(facts.pods)
        metrics.addContainers(facts)
        metrics.addCounts(facts)
        metrics.addOperations(facts.durations)
        metrics.addImagePulls(facts)
        metrics.addClaims(facts.claims)
        metrics.addRequests(facts)
        metrics.addProcess(facts)
        return metrics.writer.bytes
    }

    private mutating func addNode(_ facts: Facts) {
        writer.family("kubelet_node_name", .gauge, "The node's name. The value is always 1.")
        writer.sample(ExpositionLabels(("node", facts.nodeName)), .number(1))
        writer.family("kubernetes_build_info", .gauge, "The version that runs. The value is always 1.")
        writer.sample(
            ExpositionLabels(
                ("git_version", facts.version), ("platform", "linux/" + facts.architecture), ("compiler", "swift")),
            .number(1))
    }

    private mutating func addPods(_ pods: [Pod]) {
        func add(_ name: String, _ help: String, _ isCounted: (Pod) -> Bool) {
            writer.family(name, .gauge, help)
            for (label, wanted) in [("", false), ("true", true)] {
                let count = pods.count { $0.isStatic == wanted && isCounted($0) }
                writer.sample(ExpositionLabels(("static", label)), .number(UInt64(count)))
            }
        }
        add("kubelet_desired_pods", "Pods this node is to run, by whether a file asks for them.") { _ in true }
        add("kubelet_active_pods", "Pods that have not ended, by whether a file asks for them.") { !$0.isTerminal }
        writer.family("kubelet_mirror_pods", .gauge, "Pods of files that are shown in the API.")
        let mirrored = pods.count { $0.isStatic && !$0.isTerminal }
        writer.sample(.number(UInt64(mirrored)))
        writer.family("kubelet_working_pods", .gauge, "Pods the agent works on, by what it does with them.")
        for lifecycle in ["sync", "terminating", "terminated"] {
            for (label, wanted) in [("", false), ("true", true)] {
                let count = pods.count { $0.isStatic == wanted && Self.lifecycle($0) == lifecycle }
                writer.sample(
                    ExpositionLabels(("config", "desired"), ("lifecycle", lifecycle), ("static", label)),
                    .number(UInt64(count)))
            }
        }
    }

    private static func lifecycle(_ pod: Pod) -> String {
        pod.isTerminal ? "terminated" : pod.isTerminating ? "terminating" : "sync"
    }

    private mutating func addContainers(_ facts: Facts) {
        let running = Set(facts.instances.filter(\.isRunning).map(\.metadata.podUID))
        writer.family("kubelet_running_pods", .gauge, "Pods with a running container.")
        writer.sample(.number(UInt64(running.count)))
        writer.family("kubelet_running_containers", .gauge, "Containers by state.")
        for state in ["created", "exited", "running"] {
            let count = facts.instances.count { Self.name(of: $0.state) == state }
            writer.sample(ExpositionLabels(("container_state", state)), .number(UInt64(count)))
        }
    }

    private static func name(of state: ContainerInstanceState) -> String {
        switch state {
        case .launching, .created: "created"
        case .running: "running"
        case .exited: "exited"
        }
    }

    private mutating func addCounts(_ facts: Facts) {
        let counts = facts.counts
        func add(_ name: String, _ help: String, _ values: [String: UInt64], label: String) {
            writer.family(name, .counter, help)
            for (key, value) in values.sorted(by: { $0.key < $1.key }) {
                writer.sample(ExpositionLabels((label, key)), .number(value))
            }
        }
        add(
            "kubelet_started_containers_total", "Containers started.", counts.startedContainers,
            label: "container_type")
        add(
            "kubelet_started_containers_errors_total", "Containers that could not be started.",
            counts.failedContainers, label: "container_type")
        writer.family("kubelet_started_pods_total", .counter, "Pods whose sandbox was to be made.")
        writer.sample(.number(facts.durations.operations[.runPodSandbox]?.durations.count ?? 0))
        writer.family("kubelet_started_pods_errors_total", .counter, "Pods whose sandbox could not be made.")
        writer.sample(.number(counts.failedSandboxes))
        add(
            "kubelet_preemptions", "Pods that had to go for critical ones.", facts.preemptions,
            label: "preemption_signal")
        add("kubelet_evictions", "Pods ended for the node's sake.", facts.evictions, label: "eviction_signal")
        add("kubelet_admission_rejections_total", "Pods that were not taken.", counts.rejections, label: "reason")
    }

    private mutating func addRequests(_ facts: Facts) {
        func labels(_ key: HTTPRequestMetrics.Key) -> ExpositionLabels {
            ExpositionLabels(
                ("long_running", "\(key.isLongRunning)"), ("method", key.method), ("path", key.path),
                ("server_type", key.server))
        }
        writer.family("kubelet_http_requests_total", .counter, "Requests answered.")
        for (key, figures) in facts.requests { writer.sample(labels(key), .number(figures.durations.count)) }
        writer.family("kubelet_http_inflight_requests", .gauge, "Requests being answered.")
        for (key, figures) in facts.requests {
            writer.sample(labels(key), .number(UInt64(clamping: figures.inFlight)))
        }
        writer.family("kubelet_http_requests_duration_seconds", .histogram, "How long answers took.")
        for (key, figures) in facts.requests {
            histogram(labels(key), figures.durations)
        }
    }

    private mutating func addProcess(_ facts: Facts) {
        guard let process = facts.process else { return }
        writer.family("process_cpu_seconds_total", .counter, "CPU time of the agent.")
        writer.sample(.nanoseconds(process.cpuNanoseconds))
        writer.family("process_resident_memory_bytes", .gauge, "Resident memory of the agent.")
        writer.sample(.number(process.residentBytes))
        writer.family("process_virtual_memory_bytes", .gauge, "Address space of the agent.")
        writer.sample(.number(process.virtualBytes))
        writer.family("process_start_time_seconds", .gauge, "Start of the agent, in seconds since 1970.")
        writer.sample(.real(process.startedAt))
        writer.family("process_open_fds", .gauge, "Open file descriptors of the agent.")
        writer.sample(.number(UInt64(clamping: process.openDescriptors)))
        if let most = facts.maximumDescriptors {
            writer.family("process_max_fds", .gauge, "File descriptors the agent may open.")
            writer.sample(.number(most))
        }
    }

    private mutating func histogram(_ labels: ExpositionLabels, _ durations: DurationHistogram) {
        histogram(labels, bounds: durations.bounds, buckets: durations.buckets, sum: durations.sum)
    }

    /// - Parameter buckets: of each bound what is not in a smaller one; the last holds the rest.
    private mutating func histogram(
        _ labels: ExpositionLabels, bounds: [Double], buckets: [UInt64], sum: Double
    ) {
        var total: UInt64 = 0
        for (index, count) in buckets.enumerated() {
            total &+= count
            let bound = index < bounds.count ? Self.text(bounds[index]) : "+Inf"
            writer.sample(labels, .number(total), suffix: "_bucket", extra: ExpositionLabels(("le", bound)))
        }
        writer.sample(labels, .real(sum), suffix: "_sum")
        writer.sample(labels, .number(total), suffix: "_count")
    }

    private static func text(_ bound: Double) -> String {
        bound == bound.rounded() ? String(Int64(bound)) : "\(bound)"
    }
}

extension KubeletMetrics {
    private mutating func addOperations(_ durations: AgentDurations.Snapshot) {
        let operations = durations.operations.sorted { $0.key < $1.key }.map { operation, figures in
            (ExpositionLabels(("operation_type", operation.rawValue)), figures)
        }
        writer.family("kubelet_runtime_operations_total", .counter, "What was done to pods and containers.")
        for (labels, figures) in operations { writer.sample(labels, .number(figures.durations.count)) }
        writer.family("kubelet_runtime_operations_errors_total", .counter, "What of it failed.")
        for (labels, figures) in operations { writer.sample(labels, .number(figures.errors)) }
        writer.family("kubelet_runtime_operations_duration_seconds", .histogram, "How long it took.")
        for (labels, figures) in operations { histogram(labels, figures.durations) }
        let sandboxes = durations.operations[.runPodSandbox] ?? AgentDurations.Figures()
        let handler = ExpositionLabels(("runtime_handler", ""))
        writer.family("kubelet_run_podsandbox_duration_seconds", .histogram, "How long a pod's sandbox took.")
        histogram(handler, sandboxes.durations)
        writer.family("kubelet_run_podsandbox_errors_total", .counter, "Sandboxes that could not be made.")
        writer.sample(handler, .number(sandboxes.errors))
        writer.family("kubelet_pod_worker_duration_seconds", .histogram, "How long one look at a pod took.")
        for operation in AgentDurations.WorkerOperation.allCases {
            guard let figures = durations.worker[operation] else { continue }
            histogram(ExpositionLabels(("operation_type", operation.rawValue)), figures)
        }
        writer.family("kubelet_pod_start_duration_seconds", .histogram, "From the first word of a pod until it ran.")
        histogram(ExpositionLabels(), durations.podStart)
    }

    private mutating func addImagePulls(_ facts: Facts) {
        writer.family("kubelet_image_pull_duration_seconds", .histogram, "How long pulls took, by the image's size.")
        for (size, durations) in facts.durations.imagePulls.sorted(by: { $0.key < $1.key }) {
            histogram(ExpositionLabels(("image_size_in_bytes", size.name)), durations)
        }
        writer.family("swiftlet_image_pulls_running", .gauge, "Pulls under way for pods.")
        writer.sample(.number(UInt64(clamping: facts.durations.runningImagePulls)))
        writer.family("swiftlet_image_pull_received_bytes_total", .counter, "Bytes of layers from registries.")
        writer.sample(.number(facts.receivedImageBytes))
    }

    private mutating func addClaims(_ claims: [ClaimUsage]) {
        let figures: [(String, String, (FileSystemUsage) -> UInt64)] = [
            ("capacity_bytes", "Size of the file system of a claim.", \.capacityBytes),
            ("available_bytes", "What can still be written to it.", \.availableBytes),
            ("used_bytes", "What is in use of it.", \.usedBytes), ("inodes", "Its inodes.", \.inodes),
            ("inodes_free", "Its inodes that are free.", \.freeInodes),
            ("inodes_used", "Its inodes that are in use.", \.usedInodes),
        ]
        for (name, help, value) in figures {
            writer.family("kubelet_volume_stats_" + name, .gauge, help)
            for claim in claims {
                writer.sample(
                    ExpositionLabels(("namespace", claim.namespace), ("persistentvolumeclaim", claim.name)),
                    .number(value(claim.fileSystem)))
            }
        }
    }

    /// `/metrics/probes`.
    static func export(_ probes: [ProberMetrics]) -> [UInt8] {
        var metrics = KubeletMetrics()
        metrics.addProbes(
            probes.sorted {
                ($0.podUID, $0.containerName, $0.kind.rawValue) < ($1.podUID, $1.containerName, $1.kind.rawValue)
            })
        return metrics.writer.bytes
    }

    private mutating func addProbes(_ probes: [ProberMetrics]) {
        func labels(_ probe: ProberMetrics) -> ExpositionLabels {
            ExpositionLabels(
                ("container", probe.containerName), ("namespace", probe.podNamespace), ("pod", probe.podName),
                ("pod_uid", probe.podUID), ("probe_type", probe.kind.rawValue))
        }
        writer.family("prober_probe_total", .counter, "Probes of containers, by result.")
        for probe in probes {
            for (result, count) in [
                ("successful", probe.successful), ("failed", probe.failed), ("unknown", probe.unknown),
            ] {
                writer.sample(labels(probe), .number(count), extra: ExpositionLabels(("result", result)))
            }
        }
        writer.family("prober_probe_duration_seconds", .histogram, "How long successful probes took.")
        for probe in probes {
            histogram(
                labels(probe), bounds: ProberMetrics.durationBounds, buckets: probe.durationBuckets,
                sum: probe.durationSum)
        }
    }
}
