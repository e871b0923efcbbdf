import Glibc
import LinuxKernel

/// Looks at the host's memory, disk and process table when the node's status is computed: what pods would soon run out of.
public struct HostHealth: NodeHealthSource {
    private let stateDirectory: String
    private let thresholds: Thresholds

    /// kubelet's hard eviction defaults.
    public struct Thresholds: Hashable, Sendable {
        public var memoryBytes: UInt64 = 100 << 20
        public var diskPercent: UInt64 = 10
        public var inodesPercent: UInt64 = 5

        public init() {}
    }

    /// What statvfs(3) says, in the parts that matter.
    struct Disk: Hashable {
        var blocks: UInt64
        var availableBlocks: UInt64
        var inodes: UInt64
        var freeInodes: UInt64
        var isReadOnly: Bool
    }

    public init(stateDirectory: String, thresholds: Thresholds = Thresholds()) {
        self.stateDirectory = stateDirectory
        self.thresholds = thresholds
    }

    public func nodeProblems() async -> [NodeProblem] {
        Self.judge(
            memoryAvailable: (try? ProcFS.memory())?.availableBytes, disk: Self.disk(stateDirectory),
            directory: stateDirectory, thresholds)
    }

    static func judge(
        memoryAvailable: UInt64?, disk: Disk?, directory: String, _ thresholds: Thresholds
    ) -> [NodeProblem] {
        var problems: [NodeProblem] = []
        if let memoryAvailable, memoryAvailable < thresholds.memoryBytes {
            problems.append(
                NodeProblem(
                    condition: .memoryPressure, message: "only \(memoryAvailable >> 20) MiB of memory are available"))
        }
        guard let disk else {
            return problems + [NodeProblem(condition: .notReady, message: "\(directory) cannot be examined")]
        }
        if disk.isReadOnly {
            problems.append(
                NodeProblem(condition: .notReady, message: "StorageReadOnly: \(directory) is mounted read-only"))
        }
        if disk.availableBlocks.multipliedReportingOverflow(by: 100).partialValue
            < disk.blocks.multipliedReportingOverflow(by: thresholds.diskPercent).partialValue
        {
            problems.append(
                NodeProblem(
                    condition: .diskPressure, message: "less than \(thresholds.diskPercent) % of \(directory) is free"))
        }
        // A file system without a fixed number of inodes says 0.
        if disk.inodes > 0,
            disk.freeInodes.multipliedReportingOverflow(by: 100).partialValue
                < disk.inodes.multipliedReportingOverflow(by: thresholds.inodesPercent).partialValue
        {
            problems.append(
                NodeProblem(
                    condition: .diskPressure,
                    message: "less than \(thresholds.inodesPercent) % of the inodes of \(directory) are free"))
        }
        return problems
    }

    private static func disk(_ path: String) -> Disk? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        return Disk(
            blocks: UInt64(status.f_blocks), availableBlocks: UInt64(status.f_bavail), inodes: UInt64(status.f_files),
            freeInodes: UInt64(status.f_favail), isReadOnly: status.f_flag & UInt(ST_RDONLY) != 0)
    }
}
