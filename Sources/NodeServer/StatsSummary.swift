import ContainerRuntime
import KubernetesAPI
import LinuxKernel

/// `/stats/summary` (kubelet's stats/v1alpha1), from a usage report. Pure.
enum StatsSummary {
    static func build(_ report: UsageReport, nodeName: String, rates: UsageRates) -> JSONValue {
        [
            "node": [
                "nodeName": .string(nodeName), "startTime": .string(report.time.rfc3339),
                "cpu": cpu(report.node.cpuUsageNanoseconds, rates.node, report.time),
                "memory": memory(report.node, report.time, available: report.memory?.availableBytes),
            ],
            "pods": .array(report.pods.map { pod($0, report.time, rates) }),
        ]
    }

    private static func pod(_ pod: UsageReport.PodEntry, _ time: Timestamp, _ rates: UsageRates) -> JSONValue {
        var value: JSONValue = [
            "podRef": ["name": .string(pod.name), "namespace": .string(pod.namespace), "uid": .string(pod.uid)],
            "containers": .array(
                pod.containers.map { container in
                    [
                        "name": .string(container.instance.metadata.name),
                        "startTime": .string(Timestamp(seconds: Int64(container.startedAt)).rfc3339),
                        "cpu": cpu(
                            container.usage.cpuUsageNanoseconds, rates.containers[container.instance.id], time),
                        "memory": memory(container.usage, time, available: nil),
                    ]
                }),
            "cpu": cpu(pod.usage.cpuUsageNanoseconds, rates.pods[pod.uid], time),
            "memory": memory(pod.usage, time, available: nil),
        ]
        if let startedAt = pod.startedAt { value["startTime"] = .string(startedAt.rfc3339) }
        if let pids = pod.usage.pidsCurrent { value["process_stats"] = ["process_count": number(pids)] }
        return value
    }

    private static func cpu(_ cumulative: UInt64?, _ nanoCores: UInt64?, _ time: Timestamp) -> JSONValue {
        var value: JSONValue = ["time": .string(time.rfc3339)]
        if let cumulative { value["usageCoreNanoSeconds"] = number(cumulative) }
        if let nanoCores { value["usageNanoCores"] = number(nanoCores) }
        return value
    }

    private static func memory(_ usage: CgroupUsage, _ time: Timestamp, available: UInt64?) -> JSONValue {
        var value: JSONValue = ["time": .string(time.rfc3339)]
        let fields: [(String, UInt64?)] = [
            ("usageBytes", usage.memoryUsageBytes), ("workingSetBytes", usage.memoryWorkingSetBytes),
            ("rssBytes", usage.memoryRSSBytes), ("pageFaults", usage.pageFaults),
            ("majorPageFaults", usage.majorPageFaults), ("availableBytes", available),
        ]
        for (key, field) in fields { if let field { value[key] = number(field) } }
        return value
    }

    private static func number(_ value: UInt64) -> JSONValue { .integer(Int64(clamping: value)) }
}

/// CPU in use, from two reports. One report knows only totals.
struct UsageRates: Sendable {
    var node: UInt64?
    var pods: [String: UInt64] = [:]
    var containers: [String: UInt64] = [:]

    init() {}

    init(from older: UsageReport, to newer: UsageReport) {
        let seconds = newer.time.since(older.time) / .seconds(1)
        guard seconds > 0.05 else { return }
        func rate(_ old: UInt64?, _ new: UInt64?) -> UInt64? {
            guard let old, let new, new >= old else { return nil }
            return UInt64(Double(new - old) / seconds)
        }
        node = rate(older.node.cpuUsageNanoseconds, newer.node.cpuUsageNanoseconds)
        let oldPods = Dictionary(older.pods.map { ($0.uid, $0) }) { first, _ in first }
        for pod in newer.pods {
            pods[pod.uid] = rate(oldPods[pod.uid]?.usage.cpuUsageNanoseconds, pod.usage.cpuUsageNanoseconds)
            for container in pod.containers {
                let old = oldPods[pod.uid]?.containers.first { $0.instance.id == container.instance.id }
                containers[container.instance.id] = rate(
                    old?.usage.cpuUsageNanoseconds, container.usage.cpuUsageNanoseconds)
            }
        }
    }
}
