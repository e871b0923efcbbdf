import ContainerRuntime
import KubernetesAPI
import LinuxKernel
import NodeAgent

/// `/v1/usage` of the local socket: totals for `swiftlet top`, which makes rates of them at its own pace. Pure.
enum UsageDocument {
    static func build(_ report: UsageReport, nodeName: String) -> JSONValue {
        let node = report.node
        var machine = figures(node.usage, network: nil)
        machine["name"] = .string(nodeName)
        machine["processors"] = .integer(Int64(node.processors))
        if let memory = node.memory { machine["memoryTotalBytes"] = number(memory.totalBytes) }
        let received = node.interfaces.reduce(0) { $0 &+ $1.receivedBytes }
        let sent = node.interfaces.reduce(0) { $0 &+ $1.sentBytes }
        machine["receivedBytes"] = number(received)
        machine["sentBytes"] = number(sent)
        if let disk = node.fileSystem {
            machine["diskCapacityBytes"] = number(disk.capacityBytes)
            machine["diskAvailableBytes"] = number(disk.availableBytes)
        }
        return [
            "nanoseconds": .integer(Int64(clamping: report.time.nanosecondsSince1970)), "node": machine,
            "pods": .array(report.pods.map(pod)),
        ]
    }

    private static func pod(_ pod: UsageReport.PodEntry) -> JSONValue {
        var value = figures(pod.usage, network: pod.network)
        value["uid"] = .string(pod.uid)
        value["namespace"] = .string(pod.namespace)
        value["name"] = .string(pod.name)
        value["containers"] = .array(
            pod.containers.map { entry in
                var container = figures(entry.usage, network: nil)
                container["name"] = .string(entry.instance.metadata.name)
                container["id"] = .string(entry.instance.id)
                return container
            })
        return value
    }

    private static func figures(_ usage: CgroupUsage, network: NetworkInterfaceCounters?) -> JSONValue {
        var value: JSONValue = [:]
        let fields: [(String, UInt64?)] = [
            ("cpuNanoseconds", usage.cpuUsageNanoseconds), ("memoryBytes", usage.memoryWorkingSetBytes),
            ("memoryUsageBytes", usage.memoryUsageBytes), ("memoryLimitBytes", usage.memoryLimitBytes),
            ("readBytes", usage.ioReadBytes), ("writtenBytes", usage.ioWrittenBytes), ("tasks", usage.pidsCurrent),
            ("receivedBytes", network?.receivedBytes), ("sentBytes", network?.sentBytes),
        ]
        for (key, field) in fields { if let field { value[key] = number(field) } }
        let pressures = [
            ("cpuPressure", usage.cpuPressure), ("memoryPressure", usage.memoryPressure),
            ("ioPressure", usage.ioPressure),
        ]
        for (key, pressure) in pressures { if let pressure { value[key] = .double(pressure.some.average10) } }
        return value
    }

    private static func number(_ value: UInt64) -> JSONValue { .integer(Int64(clamping: value)) }
}
