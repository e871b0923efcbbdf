import ContainerRuntime
public import KubernetesAPI
import LinuxKernel

/// A sample in the API's terms: what `kubectl top` shows. What has no rate yet is left out, as is what has no memory.
extension UsageCollector.Sample {
    public func nodeMetrics(name: String) -> NodeMetrics? {
        usage(cpu: rates.node, memory: report.node.usage.memoryWorkingSetBytes).map { usage in
            NodeMetrics(metadata: ObjectMeta(name: name), timestamp: report.time, window: window, usage: usage)
        }
    }

    public func podMetrics() -> [PodMetrics] {
        report.pods.compactMap { pod in
            let containers = pod.containers.compactMap { entry in
                usage(cpu: rates.containers[entry.instance.id], memory: entry.usage.memoryWorkingSetBytes)
                    .map { ContainerMetrics(name: entry.instance.metadata.name, usage: $0) }
            }
            // A part of a pod would pass for all of it.
            guard !containers.isEmpty, containers.count == pod.containers.count else { return nil }
            return PodMetrics(
                metadata: ObjectMeta(name: pod.name, namespace: pod.namespace, labels: pod.labels),
                timestamp: report.time, window: window, containers: containers)
        }
    }

    private func usage(cpu: UInt64?, memory: UInt64?) -> [String: Quantity]? {
        guard let cpu, let memory, let quantity = try? Quantity(parsing: "\(cpu)n") else { return nil }
        return ["cpu": quantity, "memory": .bytes(Int64(clamping: memory))]
    }

    /// As Go writes a duration of whole milliseconds.
    private var window: String {
        let milliseconds = Int64(rates.window / .milliseconds(1))
        let rest = milliseconds % 1000
        if rest == 0 { return "\(milliseconds / 1000)s" }
        var digits = String(1000 + rest).dropFirst()
        while digits.last == "0" { digits.removeLast() }
        return "\(milliseconds / 1000).\(digits)s"
    }
}
