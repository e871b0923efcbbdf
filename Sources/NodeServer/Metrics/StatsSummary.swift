import ContainerRuntime
import KubernetesAPI
import LinuxKernel
import NodeAgent

/// `/stats/summary` (kubelet's stats/v1alpha1), from a usage report. Pure. What is not known is left out.
struct StatsSummary {
    private let report: UsageReport
    private let rates: UsageRates
    /// `?only_cpu_and_memory=true`.
    private let isBrief: Bool
    private let time: JSONValue

    static func build(_ sample: UsageCollector.Sample, nodeName: String, onlyCPUAndMemory: Bool = false) -> JSONValue {
        let summary = StatsSummary(
            report: sample.report, rates: sample.rates, isBrief: onlyCPUAndMemory,
            time: .string(sample.report.time.rfc3339))
        return ["node": summary.node(nodeName), "pods": .array(sample.report.pods.map(summary.pod))]
    }

    // MARK: Node

    private func node(_ name: String) -> JSONValue {
        let node = report.node
        var value: JSONValue = [
            "nodeName": .string(name), "startTime": .string(Timestamp(seconds: node.bootedAt).rfc3339),
            "cpu": cpu(node.usage, rates.node), "memory": memory(node.usage, available: node.memoryAvailableBytes),
        ]
        value["systemContainers"] = .array(systemContainers)
        if isBrief { return value }
        value["io"] = io(node.usage)
        if let network = network(node.interfaces, primary: node.primaryInterface) { value["network"] = network }
        if let disk = node.fileSystem { value["fs"] = fileSystem(disk) }
        // Images and writable layers are on one file system, whose use by images alone nobody counts.
        if let images = node.imageFileSystem ?? node.fileSystem {
            value["runtime"] = [
                "imageFs": fileSystem(images), "containerFs": fileSystem(node.fileSystem ?? images),
            ]
        }
        var limit: JSONValue = ["time": time]
        if let most = node.processLimit { limit["maxpid"] = number(most) }
        if let count = node.processCount { limit["curproc"] = number(count) }
        value["rlimit"] = limit
        if let memory = node.memory, let used = node.usage.memorySwapBytes {
            value["swap"] = [
                "time": time, "swapUsageBytes": number(used), "swapAvailableBytes": number(memory.swapFreeBytes),
            ]
        }
        return value
    }

    /// The parts of the system that have a name of their own: the agent, and all pods together.
    private var systemContainers: [JSONValue] {
        var all: [JSONValue] = []
        if let agent = report.node.agent {
            var usage = CgroupUsage()
            usage.cpuUsageNanoseconds = agent.cpuNanoseconds
            usage.memoryUsageBytes = agent.residentBytes
            usage.memoryRSSBytes = agent.residentBytes
            all.append([
                "name": "kubelet", "startTime": .string(Timestamp(seconds: Int64(agent.startedAt)).rfc3339),
                "cpu": cpu(usage, rates.agent), "memory": memory(usage),
            ])
        }
        if let pods = report.groups.first(where: { $0.cgroupPath == "kubepods" }) {
            all.append([
                "name": "pods", "startTime": .string(Timestamp(seconds: report.node.bootedAt).rfc3339),
                "cpu": cpu(pods.usage, rates.groups[pods.cgroupPath]), "memory": memory(pods.usage),
            ])
        }
        return all
    }

    // MARK: Pods

    private func pod(_ pod: UsageReport.PodEntry) -> JSONValue {
        var value: JSONValue = [
            "podRef": ["name": .string(pod.name), "namespace": .string(pod.namespace), "uid": .string(pod.uid)],
            "containers": .array(pod.containers.map { container($0, measuredAt: pod.disk?.time) }),
            "cpu": cpu(pod.usage, rates.pods[pod.uid]), "memory": memory(pod.usage),
        ]
        if let startedAt = pod.startedAt { value["startTime"] = .string(startedAt.rfc3339) }
        if isBrief { return value }
        value["io"] = io(pod.usage)
        if let swap = swap(pod.usage) { value["swap"] = swap }
        if let interface = pod.network, let network = network([interface], primary: interface.name) {
            value["network"] = network
        }
        if let count = pod.processCount { value["process_stats"] = ["process_count": number(count)] }
        if let disk = pod.disk {
            value["ephemeral-storage"] = fileSystem(report.node.fileSystem, used: disk.total, at: disk.time)
            value["volume"] = .array(volumes(disk, of: pod.namespace))
        }
        return value
    }

    private func container(_ entry: UsageReport.ContainerEntry, measuredAt: Timestamp?) -> JSONValue {
        var value: JSONValue = [
            "name": .string(entry.instance.metadata.name), "startTime": .string(entry.startedAt.rfc3339),
            "cpu": cpu(entry.usage, rates.containers[entry.instance.id]),
            "memory": memory(entry.usage, available: available(entry.usage)),
        ]
        if isBrief { return value }
        value["io"] = io(entry.usage)
        if let swap = swap(entry.usage) { value["swap"] = swap }
        if let disk = entry.disk {
            value["rootfs"] = fileSystem(report.node.fileSystem, used: disk.writableLayer, at: measuredAt)
            value["logs"] = fileSystem(report.node.fileSystem, used: disk.logs, at: measuredAt)
        }
        return value
    }

    // MARK: Parts

    private func cpu(_ usage: CgroupUsage, _ nanoCores: UInt64?) -> JSONValue {
        var value: JSONValue = ["time": time]
        if let nanoCores { value["usageNanoCores"] = number(nanoCores) }
        if let total = usage.cpuUsageNanoseconds { value["usageCoreNanoSeconds"] = number(total) }
        if let pressure = usage.cpuPressure { value["psi"] = psi(pressure) }
        return value
    }

    private func memory(_ usage: CgroupUsage, available: UInt64? = nil) -> JSONValue {
        var value: JSONValue = ["time": time]
        let fields: [(String, UInt64?)] = [
            ("availableBytes", available), ("usageBytes", usage.memoryUsageBytes),
            ("workingSetBytes", usage.memoryWorkingSetBytes), ("rssBytes", usage.memoryRSSBytes),
            ("pageFaults", usage.pageFaults), ("majorPageFaults", usage.majorPageFaults),
        ]
        for (key, field) in fields { if let field { value[key] = number(field) } }
        if let pressure = usage.memoryPressure { value["psi"] = psi(pressure) }
        return value
    }

    /// Of its own limit; without one there is nothing to tell.
    private func available(_ usage: CgroupUsage) -> UInt64? {
        guard let limit = usage.memoryLimitBytes, let used = usage.memoryWorkingSetBytes else { return nil }
        return limit > used ? limit - used : 0
    }

    private func io(_ usage: CgroupUsage) -> JSONValue {
        var value: JSONValue = ["time": time]
        if let pressure = usage.ioPressure { value["psi"] = psi(pressure) }
        return value
    }

    private func swap(_ usage: CgroupUsage) -> JSONValue? {
        guard let used = usage.memorySwapBytes else { return nil }
        var value: JSONValue = ["time": time, "swapUsageBytes": number(used)]
        if let limit = usage.memorySwapLimitBytes {
            value["swapAvailableBytes"] = number(limit > used ? limit - used : 0)
        }
        return value
    }

    /// The primary interface's figures stand beside the list of all.
    private func network(_ interfaces: [NetworkInterfaceCounters], primary: String?) -> JSONValue? {
        if interfaces.isEmpty { return nil }
        var value: JSONValue = ["time": time, "interfaces": .array(interfaces.map(interface))]
        if let main = interfaces.first(where: { $0.name == primary }), let fields = interface(main).objectValue {
            for (key, field) in fields { value[key] = field }
        }
        return value
    }

    private func interface(_ counters: NetworkInterfaceCounters) -> JSONValue {
        [
            "name": .string(counters.name), "rxBytes": number(counters.receivedBytes),
            "rxErrors": number(counters.receiveErrors), "txBytes": number(counters.sentBytes),
            "txErrors": number(counters.sendErrors),
        ]
    }

    /// By name; those that share the node's disk and those with a size of their own.
    private func volumes(_ disk: EphemeralStorageUsage, of namespace: String) -> [JSONValue] {
        var volumes = disk.volumes.mapValues { fileSystem(report.node.fileSystem, used: $0, at: disk.time) }
        for (name, mounted) in disk.mounted {
            var volume = fileSystem(mounted.fileSystem, at: disk.time)
            if let claim = mounted.claim {
                volume["pvcRef"] = ["name": .string(claim), "namespace": .string(namespace)]
            }
            volumes[name] = volume
        }
        return volumes.sorted { $0.key < $1.key }.map { name, figures in
            var volume = figures
            volume["name"] = .string(name)
            return volume
        }
    }

    /// - Parameters:
    ///   - used: what a part of it holds; nil for all of it.
    ///   - measured: when that was looked at; nil for the time of the report.
    private func fileSystem(
        _ disk: FileSystemUsage?, used: DiskUsage? = nil, at measured: Timestamp? = nil
    ) -> JSONValue {
        var value: JSONValue = ["time": measured.map { .string($0.rfc3339) } ?? time]
        if let disk {
            value["availableBytes"] = number(disk.availableBytes)
            value["capacityBytes"] = number(disk.capacityBytes)
            value["inodes"] = number(disk.inodes)
            value["inodesFree"] = number(disk.freeInodes)
        }
        if let bytes = used?.bytes ?? disk?.usedBytes { value["usedBytes"] = number(bytes) }
        if let inodes = used?.inodes ?? disk?.usedInodes { value["inodesUsed"] = number(inodes) }
        return value
    }

    private func psi(_ pressure: PressureStallInformation) -> JSONValue {
        func stall(_ stall: PressureStallInformation.Stall) -> JSONValue {
            [
                "total": number(stall.totalMicroseconds), "avg10": .double(stall.average10),
                "avg60": .double(stall.average60), "avg300": .double(stall.average300),
            ]
        }
        let none = PressureStallInformation.Stall(average10: 0, average60: 0, average300: 0, totalMicroseconds: 0)
        return ["full": stall(pressure.full ?? none), "some": stall(pressure.some)]
    }

    private func number(_ value: UInt64) -> JSONValue { .integer(Int64(clamping: value)) }
}
