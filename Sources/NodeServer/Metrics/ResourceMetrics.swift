import ContainerRuntime
import KubernetesAPI
import LinuxKernel
import NodeAgent

/// `/metrics/resource`: CPU and memory of the node, its pods and containers, as metrics-server reads them. Pure.
enum ResourceMetrics {
    static func export(_ report: UsageReport) -> [UInt8] {
        var writer = ExpositionWriter(reserving: 4096 + report.pods.count * 1500)
        let time = report.time.milliseconds
        let nodeUsage = report.node.usage
        func node(_ name: String, _ kind: ExpositionWriter.Kind, _ help: String, _ value: ExpositionValue?) {
            writer.family(name, kind, help)
            if let value { writer.sample(value, milliseconds: time) }
        }
        let containers = report.pods.flatMap { pod in
            pod.containers.map { entry in
                (
                    entry,
                    ExpositionLabels(
                        ("container", entry.instance.metadata.name), ("namespace", pod.namespace), ("pod", pod.name))
                )
            }
        }
        func container(
            _ name: String, _ kind: ExpositionWriter.Kind, _ help: String,
            _ value: (UsageReport.ContainerEntry) -> ExpositionValue?
        ) {
            writer.family(name, kind, help)
            for (entry, labels) in containers {
                if let value = value(entry) { writer.sample(labels, value, milliseconds: time) }
            }
        }
        let pods = report.pods.map { ($0, ExpositionLabels(("namespace", $0.namespace), ("pod", $0.name))) }
        func pod(
            _ name: String, _ kind: ExpositionWriter.Kind, _ help: String, _ value: (CgroupUsage) -> ExpositionValue?
        ) {
            writer.family(name, kind, help)
            for (entry, labels) in pods {
                if let value = value(entry.usage) { writer.sample(labels, value, milliseconds: time) }
            }
        }
        container("container_cpu_usage_seconds_total", .counter, "CPU time the container used, in core-seconds.") {
            $0.usage.cpuUsageNanoseconds.map(ExpositionValue.nanoseconds)
        }
        container("container_memory_working_set_bytes", .gauge, "Memory of the container that is in use.") {
            $0.usage.memoryWorkingSetBytes.map(ExpositionValue.number)
        }
        container("container_start_time_seconds", .gauge, "When the container started, in seconds since 1970.") {
            .nanoseconds($0.startedAt.nanosecondsSince1970)
        }
        container("container_swap_limit_bytes", .gauge, "Swap the container may use.") {
            $0.usage.memorySwapLimitBytes.map(ExpositionValue.number)
        }
        container("container_swap_usage_bytes", .gauge, "Swap the container uses.") {
            $0.usage.memorySwapBytes.map(ExpositionValue.number)
        }
        node(
            "node_cpu_usage_seconds_total", .counter, "CPU time the node used, in core-seconds.",
            nodeUsage.cpuUsageNanoseconds.map(ExpositionValue.nanoseconds))
        node(
            "node_memory_working_set_bytes", .gauge, "Memory of the node that is in use.",
            nodeUsage.memoryWorkingSetBytes.map(ExpositionValue.number))
        node(
            "node_swap_usage_bytes", .gauge, "Swap the node uses.",
            nodeUsage.memorySwapBytes.map(ExpositionValue.number))
        pod("pod_cpu_usage_seconds_total", .counter, "CPU time the pod used, in core-seconds.") {
            $0.cpuUsageNanoseconds.map(ExpositionValue.nanoseconds)
        }
        pod("pod_memory_working_set_bytes", .gauge, "Memory of the pod that is in use.") {
            $0.memoryWorkingSetBytes.map(ExpositionValue.number)
        }
        pod("pod_swap_usage_bytes", .gauge, "Swap the pod uses.") { $0.memorySwapBytes.map(ExpositionValue.number) }
        for name in ["resource_scrape_error", "scrape_error"] {
            writer.family(name, .gauge, "1 when the figures could not be read, 0 when all is well.")
            writer.sample(.number(nodeUsage.cpuUsageNanoseconds == nil ? 1 : 0))
        }
        return writer.bytes
    }
}

extension ExpositionWriter {
    mutating func sample(_ value: ExpositionValue, milliseconds: Int64? = nil) {
        sample(ExpositionLabels(), value, milliseconds: milliseconds)
    }
}

extension Timestamp {
    /// Since 1970, as sample times are written.
    var milliseconds: Int64 {
        seconds.multipliedReportingOverflow(by: 1000).partialValue &+ Int64(nanoseconds / 1_000_000)
    }

    /// 0 for times before.
    var nanosecondsSince1970: UInt64 {
        guard seconds >= 0 else { return 0 }
        return UInt64(seconds) &* 1_000_000_000 &+ UInt64(max(0, nanoseconds))
    }
}
