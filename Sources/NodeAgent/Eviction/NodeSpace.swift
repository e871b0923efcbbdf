import Glibc
import LinuxKernel

/// Looks at what is left of memory, disk and process ids: a few system calls, nothing per pod. Blocking.
struct NodeSpace: Sendable {
    /// With the agent's state, volumes and writable layers.
    let nodefsDirectory: String
    /// With the images; on most nodes the same file system.
    let imagefsDirectory: String
    let cgroups: CgroupManager
    /// Of all pods.
    let podsCgroup: String

    /// Whether images and state are on one file system.
    var isShared: Bool {
        var (node, images) = (stat(), stat())
        return stat(nodefsDirectory, &node) == 0 && stat(imagefsDirectory, &images) == 0 && node.st_dev == images.st_dev
    }

    func observe(_ signals: Set<EvictionSignal>) -> [EvictionSignal: EvictionObservation] {
        var observations: [EvictionSignal: EvictionObservation] = [:]
        if signals.contains(.memoryAvailable), let memory = try? ProcFS.memory() {
            // The kernel's own estimate of what can be had without swapping.
            observations[.memoryAvailable] = EvictionObservation(
                available: Int64(clamping: memory.availableBytes), capacity: Int64(clamping: memory.totalBytes))
        }
        if signals.contains(.allocatableMemoryAvailable) { observations[.allocatableMemoryAvailable] = podsMemory() }
        observeDisk(nodefsDirectory, space: .nodefsAvailable, inodes: .nodefsInodesFree, signals, &observations)
        observeDisk(imagefsDirectory, space: .imagefsAvailable, inodes: .imagefsInodesFree, signals, &observations)
        if signals.contains(.pidAvailable) { observations[.pidAvailable] = Self.processes() }
        return observations
    }

    /// Of the pods together, where their cgroup has a limit.
    private func podsMemory() -> EvictionObservation? {
        guard let usage = try? cgroups.usage(podsCgroup), let limit = usage.memoryLimitBytes,
            let used = usage.memoryWorkingSetBytes
        else { return nil }
        return EvictionObservation(
            available: Int64(clamping: limit > used ? limit - used : 0), capacity: Int64(clamping: limit))
    }

    private func observeDisk(
        _ path: String, space: EvictionSignal, inodes: EvictionSignal, _ signals: Set<EvictionSignal>,
        _ observations: inout [EvictionSignal: EvictionObservation]
    ) {
        guard signals.contains(space) || signals.contains(inodes) else { return }
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return }
        func bytes(_ blocks: UInt64) -> Int64 {
            let (bytes, overflow) = blocks.multipliedReportingOverflow(by: UInt64(status.f_frsize))
            return overflow ? .max : Int64(clamping: bytes)
        }
        if signals.contains(space) {
            observations[space] = EvictionObservation(
                available: bytes(UInt64(status.f_bavail)), capacity: bytes(UInt64(status.f_blocks)))
        }
        // A file system without a fixed number of inodes says 0.
        if signals.contains(inodes), status.f_files > 0 {
            observations[inodes] = EvictionObservation(
                available: Int64(clamping: status.f_favail), capacity: Int64(clamping: status.f_files))
        }
    }

    /// Of the whole machine: threads count, as they take process ids.
    private static func processes() -> EvictionObservation? {
        func number(_ path: String) -> Int64? {
            (try? FileSystem.readText(path, limit: 64)).flatMap { Int64($0.prefix { $0 != "\n" }) }
        }
        let limits = [number("/proc/sys/kernel/pid_max"), number("/proc/sys/kernel/threads-max")].compactMap(\.self)
        guard let limit = limits.min(), let load = try? ProcFS.loadAverage() else { return nil }
        return EvictionObservation(available: max(0, limit - Int64(load.tasks)), capacity: limit)
    }
}
