import KubernetesAPI
import LinuxKernel
import NodeAgent

/// `/metrics/cadvisor`: everything about every cgroup, under the names and labels that dashboards know. Pure.
struct CadvisorMetrics {
    private var writer: ExpositionWriter
    private let rows: [CadvisorRow]
    private let time: Int64

    static func export(
        _ report: UsageReport, version: String, machine: NodeInformation, deviceNames: DeviceNames
    ) -> [UInt8] {
        let rows = CadvisorRow.rows(of: report)
        // About 45 samples of 300 bytes each.
        var metrics = CadvisorMetrics(
            writer: ExpositionWriter(reserving: 32 << 10 + rows.count * 14_000), rows: rows,
            time: report.time.milliseconds)
        metrics.addVersion(version, machine)
        metrics.addCPU()
        metrics.addMemory()
        metrics.addIO(deviceNames)
        metrics.addFileSystems(report)
        metrics.addNetwork(report)
        metrics.addPressure()
        metrics.addProcesses()
        metrics.addLimits()
        metrics.addMachine(report, machine)
        return metrics.writer.bytes
    }

    private mutating func add(
        _ name: String, _ kind: ExpositionWriter.Kind, _ help: String, _ value: (CadvisorRow) -> ExpositionValue?
    ) {
        writer.family(name, kind, help)
        for row in rows { if let value = value(row) { writer.sample(row.labels, value, milliseconds: time) } }
    }

    private mutating func addVersion(_ version: String, _ machine: NodeInformation) {
        writer.family("cadvisor_version_info", .gauge, "What runs here. The value is always 1.")
        writer.sample(
            ExpositionLabels(
                ("cadvisorRevision", ""), ("cadvisorVersion", "swiftlet " + version), ("dockerVersion", ""),
                ("kernelVersion", machine.kernelVersion), ("osVersion", machine.osImage)),
            .number(1))
    }

    private mutating func addCPU() {
        writer.family("container_cpu_usage_seconds_total", .counter, "CPU time used, in core-seconds.")
        for row in rows {
            if let value = row.usage.cpuUsageNanoseconds {
                writer.sample(
                    row.labels, .nanoseconds(value), extra: ExpositionLabels(("cpu", "total")), milliseconds: time)
            }
        }
        add("container_cpu_user_seconds_total", .counter, "CPU time used by programs.") {
            $0.usage.cpuUserNanoseconds.map(ExpositionValue.nanoseconds)
        }
        add("container_cpu_system_seconds_total", .counter, "CPU time used by the kernel for them.") {
            $0.usage.cpuSystemNanoseconds.map(ExpositionValue.nanoseconds)
        }
        // Without a quota there are no periods.
        func quota(_ row: CadvisorRow, _ value: UInt64?) -> UInt64? {
            row.usage.cpuPeriods.flatMap { $0 > 0 ? value : nil }
        }
        add("container_cpu_cfs_periods_total", .counter, "Periods of the CPU limit that have passed.") {
            quota($0, $0.usage.cpuPeriods).map(ExpositionValue.number)
        }
        add("container_cpu_cfs_throttled_periods_total", .counter, "Periods in which the CPU limit was reached.") {
            quota($0, $0.usage.throttledPeriods).map(ExpositionValue.number)
        }
        add("container_cpu_cfs_throttled_seconds_total", .counter, "Time that was waited because of the CPU limit.") {
            quota($0, $0.usage.throttledNanoseconds).map(ExpositionValue.nanoseconds)
        }
    }

    private mutating func addMemory() {
        let figures: [(String, String, (CgroupUsage) -> UInt64?)] = [
            ("usage_bytes", "Memory in use, caches included.", \.memoryUsageBytes),
            ("working_set_bytes", "Memory in use without the cache that is dropped first.", \.memoryWorkingSetBytes),
            ("rss", "Anonymous memory.", \.memoryRSSBytes),
            ("cache", "Page cache.", \.memoryCacheBytes),
            ("swap", "Swap in use.", \.memorySwapBytes),
            ("mapped_file", "File pages mapped into processes.", \.memoryMappedFileBytes),
            ("kernel_usage", "Memory the kernel holds for it.", \.memoryKernelBytes),
            ("max_usage_bytes", "The most memory it has used.", \.memoryPeakBytes),
            ("total_inactive_file_bytes", "Page cache that is dropped first.", \.memoryInactiveFileBytes),
            ("total_active_file_bytes", "Page cache that is in use.", \.memoryActiveFileBytes),
        ]
        for (name, help, value) in figures {
            add("container_memory_" + name, .gauge, help) { value($0.usage).map(ExpositionValue.number) }
        }
        add("container_memory_failcnt", .counter, "How often the memory limit stood in the way.") {
            $0.usage.memoryLimitHits.map(ExpositionValue.number)
        }
        writer.family("container_memory_failures_total", .counter, "Page faults, by whether a disk was needed.")
        // What is below a cgroup counts for it: of the two scopes there are, the wider one.
        let minor = ExpositionLabels(("failure_type", "pgfault"), ("scope", "hierarchy"))
        let major = ExpositionLabels(("failure_type", "pgmajfault"), ("scope", "hierarchy"))
        for row in rows {
            for (type, value) in [(minor, row.usage.pageFaults), (major, row.usage.majorPageFaults)] {
                guard let value else { continue }
                writer.sample(row.labels, .number(value), extra: type, milliseconds: time)
            }
        }
        add("container_oom_events_total", .counter, "Processes killed for lack of memory.") {
            $0.usage.oomKills.map(ExpositionValue.number)
        }
        writer.family("container_hugetlb_usage_bytes", .gauge, "Huge pages in use.")
        for row in rows {
            for (size, value) in row.usage.hugePageBytes.sorted(by: { $0.key < $1.key }) {
                let name = size >= 1 << 30 ? "\(size >> 30)GB" : "\(size >> 20)MB"
                writer.sample(
                    row.labels, .number(value), extra: ExpositionLabels(("pagesize", name)), milliseconds: time)
            }
        }
    }

    private mutating func addIO(_ names: DeviceNames) {
        let figures: [(String, String, KeyPath<CgroupUsage.DeviceIO, UInt64>)] = [
            ("container_fs_reads_bytes_total", "Bytes read from disks.", \.readBytes),
            ("container_fs_writes_bytes_total", "Bytes written to disks.", \.writtenBytes),
            ("container_fs_reads_total", "Read operations of disks.", \.reads),
            ("container_fs_writes_total", "Write operations of disks.", \.writes),
        ]
        for (name, help, value) in figures {
            writer.family(name, .counter, help)
            for row in rows {
                for device in row.usage.io ?? [] {
                    writer.sample(
                        row.labels, .number(device[keyPath: value]),
                        extra: ExpositionLabels(("device", names[device.major, device.minor])), milliseconds: time)
                }
            }
        }
    }

    private mutating func addPressure() {
        let resources: [(String, String, (CgroupUsage) -> PressureStallInformation?)] = [
            ("cpu", "a CPU", \.cpuPressure), ("memory", "memory", \.memoryPressure), ("io", "disks", \.ioPressure),
        ]
        for (name, what, pressure) in resources {
            add(
                "container_pressure_\(name)_waiting_seconds_total", .counter, "Time in which a task waited for \(what)."
            ) {
                pressure($0.usage).map { .microseconds($0.some.totalMicroseconds) }
            }
            add("container_pressure_\(name)_stalled_seconds_total", .counter, "Time in which all waited for \(what).") {
                pressure($0.usage)?.full.map { .microseconds($0.totalMicroseconds) }
            }
        }
    }

    private mutating func addProcesses() {
        add("container_processes", .gauge, "Processes.") { $0.processes.map(ExpositionValue.number) }
        add("container_threads", .gauge, "Threads of all processes.") {
            $0.usage.pidsCurrent.map(ExpositionValue.number)
        }
        add("container_threads_max", .gauge, "Most threads there may be.") {
            $0.usage.pidsLimit.map(ExpositionValue.number)
        }
        add("container_start_time_seconds", .gauge, "When it started, in seconds since 1970.") {
            $0.startedAt.map(ExpositionValue.nanoseconds)
        }
        let seen = ExpositionValue.number(UInt64(clamping: time / 1000))
        add("container_last_seen", .gauge, "When it was last seen, in seconds since 1970.") { _ in seen }
    }

    private mutating func addLimits() {
        add("container_spec_cpu_period", .gauge, "The period of the CPU limit, in microseconds.") {
            $0.limits.map { _ in .number(UInt64(clamping: CgroupResources.cpuPeriodMicroseconds)) }
        }
        add("container_spec_cpu_quota", .gauge, "CPU time a period may use, in microseconds.") {
            $0.limits?.cpuQuotaMicroseconds.flatMap { $0 > 0 ? .number(UInt64($0)) : nil }
        }
        add("container_spec_cpu_shares", .gauge, "Share of the CPU under load; a core's request is 1024.") {
            $0.limits?.cpuShares.map(ExpositionValue.number)
        }
        add("container_spec_memory_limit_bytes", .gauge, "Memory limit; 0 is none.") {
            $0.kind == .container ? .number($0.usage.memoryLimitBytes ?? 0) : nil
        }
        add("container_spec_memory_swap_limit_bytes", .gauge, "Swap limit; 0 is none.") {
            $0.kind == .container ? .number($0.usage.memorySwapLimitBytes ?? 0) : nil
        }
    }

    private mutating func addMachine(_ report: UsageReport, _ machine: NodeInformation) {
        let labels = ExpositionLabels(
            ("boot_id", machine.bootID), ("machine_id", machine.machineID), ("system_uuid", machine.systemUUID))
        writer.family("machine_cpu_cores", .gauge, "Processors of the machine.")
        writer.sample(labels, .number(UInt64(clamping: report.node.processors)))
        writer.family("machine_memory_bytes", .gauge, "Memory of the machine.")
        if let memory = report.node.memory {
            writer.sample(labels, .number(memory.totalBytes))
            writer.family("machine_swap_bytes", .gauge, "Swap of the machine.")
            writer.sample(labels, .number(memory.swapTotalBytes))
        }
        writer.family("machine_scrape_error", .gauge, "1 when the machine could not be examined.")
        writer.sample(.number(report.node.memory == nil ? 1 : 0))
        writer.family("container_scrape_error", .gauge, "1 when containers could not be examined.")
        writer.sample(.number(0))
    }
}

extension CadvisorMetrics {
    private mutating func addFileSystems(_ report: UsageReport) {
        let machine = CadvisorRow.labels(id: "/")
        let disk = report.node.fileSystem
        let device = ExpositionLabels(("device", "rootfs"))
        writer.family("container_fs_limit_bytes", .gauge, "Size of the file system it writes to.")
        if let disk { writer.sample(machine, .number(disk.capacityBytes), extra: device, milliseconds: time) }
        for row in rows where row.rootDisk != nil {
            if let disk {
                writer.sample(row.labels, .number(disk.capacityBytes), extra: device, milliseconds: time)
            }
        }
        writer.family("container_fs_usage_bytes", .gauge, "Bytes on the file system: of a container, its own layer.")
        if let disk { writer.sample(machine, .number(disk.usedBytes), extra: device, milliseconds: time) }
        for row in rows {
            if let root = row.rootDisk {
                writer.sample(row.labels, .number(root.bytes), extra: device, milliseconds: time)
            }
        }
        writer.family("container_fs_inodes_total", .gauge, "Inodes of the file system.")
        if let disk { writer.sample(machine, .number(disk.inodes), extra: device, milliseconds: time) }
        writer.family("container_fs_inodes_free", .gauge, "Inodes that are free.")
        if let disk { writer.sample(machine, .number(disk.freeInodes), extra: device, milliseconds: time) }
    }

    /// The network is a pod's, not a container's: one row for its sandbox. Without one, a pod has the host's network.
    private mutating func addNetwork(_ report: UsageReport) {
        var rows = report.node.interfaces.map { (CadvisorRow.labels(id: "/"), $0) }
        for pod in report.pods {
            guard let network = pod.network else { continue }
            let labels = CadvisorRow.labels(
                id: "/" + pod.cgroupPath, image: CadvisorRow.sandboxImage, name: pod.sandboxID ?? "",
                namespace: pod.namespace, pod: pod.name)
            rows.append((labels, network))
        }
        let figures: [(String, String, KeyPath<NetworkInterfaceCounters, UInt64>)] = [
            ("receive_bytes", "Bytes received.", \.receivedBytes),
            ("receive_packets", "Packets received.", \.receivedPackets),
            ("receive_errors", "Packets received damaged.", \.receiveErrors),
            ("receive_packets_dropped", "Packets received and dropped.", \.receivedDropped),
            ("transmit_bytes", "Bytes sent.", \.sentBytes),
            ("transmit_packets", "Packets sent.", \.sentPackets),
            ("transmit_errors", "Packets that could not be sent.", \.sendErrors),
            ("transmit_packets_dropped", "Packets dropped instead of sent.", \.sentDropped),
        ]
        for (name, help, value) in figures {
            writer.family("container_network_\(name)_total", .counter, help)
            for (labels, counters) in rows {
                writer.sample(
                    labels, .number(counters[keyPath: value]), extra: ExpositionLabels(("interface", counters.name)),
                    milliseconds: time)
            }
        }
    }
}

extension CgroupUsage {
    /// What of the page cache is in use: the rest of it.
    fileprivate var memoryActiveFileBytes: UInt64? {
        guard let cache = memoryCacheBytes, let inactive = memoryInactiveFileBytes else { return nil }
        return cache > inactive ? cache - inactive : 0
    }
}
