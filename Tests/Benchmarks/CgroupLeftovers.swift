import LinuxKernel

/// Removes this run's cgroups from every hierarchy that is mounted: a peer joins more of them than we do.
enum CgroupLeftovers {
    static func remove(_ name: String) throws(KernelError) {
        let table = try FileSystem.readText("/proc/self/mountinfo", limit: 64 << 20)
        for line in table.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 6, let dash = fields[6...].firstIndex(of: "-"), fields.count > dash + 1,
                fields[dash + 1].hasPrefix("cgroup")
            else { continue }
            // Taken for a unified hierarchy of its own, every one is removed the same way: empty directories, deepest first.
            let hierarchy = CgroupHierarchies(unified: String(fields[4]))
            try CgroupManager(hierarchies: hierarchy, root: "/" + name).remove("")
        }
    }
}
