/// Where the host mounted its cgroup file systems.
public struct CgroupHierarchies: Hashable, Sendable {
    public enum Version: String, Hashable, Sendable {
        /// The unified hierarchy carries the controllers.
        case v2
        /// The unified hierarchy is mounted, some controllers live on v1.
        case hybrid
        case v1
        /// No cgroup file system is mounted.
        case none
    }

    /// Mount point of the unified (v2) hierarchy.
    public var unified: String?
    /// Mount point of each v1 controller; controllers mounted together share one.
    public var v1: [CgroupController: String]

    public init(unified: String?, v1: [CgroupController: String] = [:]) {
        self.unified = unified
        self.v1 = v1
    }

    public var version: Version {
        switch (unified, v1.isEmpty) {
        case (.some, true): .v2
        case (.some, false): .hybrid
        case (nil, false): .v1
        case (nil, true): .none
        }
    }

    /// The hierarchies of this process's mount namespace.
    public static func discover() throws(KernelError) -> CgroupHierarchies {
        discover(mountinfo: try FileSystem.readText("/proc/self/mountinfo", limit: 64 << 20))
    }

    /// Reads the hierarchies out of a mount table (proc_pid_mountinfo(5)). Of several mounts of one hierarchy the first
    /// that shows it whole (its root is `/`) wins, then the first.
    public static func discover(mountinfo: String) -> CgroupHierarchies {
        var whole = CgroupHierarchies(unified: nil)
        var partial = CgroupHierarchies(unified: nil)
        for line in mountinfo.split(separator: "\n") {
            guard let entry = MountEntry(line: line) else { continue }
            if entry.root == "/" { whole.take(entry) } else { partial.take(entry) }
        }
        return CgroupHierarchies(
            unified: whole.unified ?? partial.unified,
            v1: whole.v1.merging(partial.v1) { first, _ in first })
    }

    private mutating func take(_ entry: MountEntry) {
        if entry.type == "cgroup2" {
            if unified == nil { unified = entry.point }
            return
        }
        guard entry.type == "cgroup" else { return }
        for controller in CgroupController.allCases where v1[controller] == nil {
            if entry.options.contains(Substring(controller.v1Name)) { v1[controller] = entry.point }
        }
    }

    private struct MountEntry {
        let root: String
        let point: String
        let type: Substring
        let options: [Substring]

        init?(line: Substring) {
            let fields = line.split(separator: " ", omittingEmptySubsequences: false)
            // Optional fields (propagation) end at a lone dash; type, source and super block options follow it.
            guard fields.count > 6, let dash = fields[6...].firstIndex(of: "-"), fields.count > dash + 3 else {
                return nil
            }
            root = Mount.unescape(fields[3])
            point = Mount.unescape(fields[4])
            type = fields[dash + 1]
            options = fields[dash + 3].split(separator: ",")
        }
    }
}
