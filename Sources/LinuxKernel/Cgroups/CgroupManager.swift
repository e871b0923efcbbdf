import Glibc
import SystemPackage

/// Cgroups of one agent: one interface with the same results on v2, hybrid and v1 hosts.
///
/// Paths are relative to the agent's root cgroup (`kubepods/burstable/pod…/c…`; empty for the root itself) and name a
/// cgroup in every hierarchy at once. The *anchor* is the hierarchy whose mkdir decides who created a cgroup and whose
/// rmdir comes last: v2 where there is one, else pids, else memory, else the first v1 hierarchy.
///
/// Calls block in the kernel; run them on ``KernelThreadPool``.
public struct CgroupManager: Sendable {
    public let hierarchies: CgroupHierarchies
    /// The agent's root below each mount point: empty or `/a/b`.
    let rootPath: String
    /// Mount point of the anchor hierarchy.
    let anchor: String?
    /// Mount points of the v1 hierarchies used besides the anchor, each once.
    let secondary: [String]
    /// Mount point of a v1 cpuset hierarchy that is used. A new cgroup in it has no processor, and nothing can join it.
    let v1CPUSets: String?
    /// Controllers the mount point of the unified hierarchy offers.
    let unifiedControllers: Set<CgroupController>

    /// - Parameters:
    ///   - hierarchies: where the cgroup file systems are; tests pass fixture trees.
    ///   - root: the cgroup everything of this agent lives below, the same in every hierarchy.
    ///   - additional: controllers that are used besides the usual ones where they are on v1: pinned processors, huge
    ///     pages, disks.
    public init(hierarchies: CgroupHierarchies, root: String, additional: [CgroupController] = []) {
        self.hierarchies = hierarchies
        let components = root.split(separator: "/")
        rootPath = components.isEmpty ? "" : "/" + components.joined(separator: "/")

        var mounts: [String] = []
        // What an earlier agent made there has to be found and removed, whatever is asked for now.
        let path = rootPath
        let left = [CgroupController.cpuset, .hugetlb, .io].filter { controller in
            hierarchies.v1[controller].map { !path.isEmpty && FileSystem.exists($0 + path) } ?? false
        }
        for controller in CgroupController.usedOnV1 + additional + left {
            if let mount = hierarchies.v1[controller], !mounts.contains(mount) { mounts.append(mount) }
        }
        let chosen = hierarchies.unified ?? hierarchies.v1[.pids] ?? hierarchies.v1[.memory] ?? mounts.first
        anchor = chosen
        secondary = mounts.filter { $0 != chosen }
        v1CPUSets = hierarchies.v1[.cpuset].flatMap { mounts.contains($0) ? $0 : nil }

        var offered: Set<CgroupController> = []
        if let unified = hierarchies.unified {
            // An unreadable list is an empty one: every limit then turns up as a shortfall.
            let names = (try? CgroupFile.readWords(unified + "/cgroup.controllers")) ?? []
            offered = Set(names.compactMap(CgroupController.init(rawValue:)))
        }
        unifiedControllers = offered
    }

    // MARK: Paths

    /// The anchor's mount point, or the error every operation ends in on a host without cgroups.
    func requireAnchor() throws(KernelError) -> String {
        guard let anchor else {
            throw KernelError("find a mounted cgroup hierarchy for", rootPath, errno: Errno(rawValue: ENODEV))
        }
        return anchor
    }

    /// `path` below a mount point. Refuses what could leave the agent's root (EINVAL).
    func resolve(_ path: String) throws(KernelError) -> String {
        var resolved = rootPath
        for component in path.split(separator: "/") {
            let legal =
                component != "." && component != ".." && component.utf8.count <= Int(NAME_MAX)
                && component.utf8.allSatisfy { $0 >= 0x20 }
            guard legal else { throw KernelError("use cgroup path", path, errno: .invalidArgument) }
            resolved += "/" + component
        }
        return resolved
    }

    /// All hierarchies a cgroup has a directory in, the anchor last.
    var mountsAnchorLast: [String] { secondary + (anchor.map { [$0] } ?? []) }

    /// The mount point that carries a controller, and whether it is v2. A controller is never on both.
    func carrier(of controller: CgroupController) -> (mount: String, unified: Bool)? {
        if let mount = hierarchies.v1[controller] { return (mount, false) }
        if let mount = hierarchies.unified, unifiedControllers.contains(controller) { return (mount, true) }
        return nil
    }

    /// The directory of a cgroup in the anchor hierarchy.
    public func anchorDirectory(_ path: String) throws(KernelError) -> String {
        try requireAnchor() + resolve(path)
    }

    // MARK: Creating

    /// Creates a cgroup whose parent exists. Exactly one of several callers succeeds, now or before a crash: the others
    /// get EEXIST, which is the guarantee of at most one instance. Limits are set afterwards, by ``apply(_:to:)``.
    public func create(_ path: String) throws(KernelError) {
        let relative = try resolve(path)
        let lock = try requireAnchor() + relative
        try kernelCall("mkdir", lock) { mkdir(lock, 0o755) }
        var made: [String] = [lock]
        do {
            for mount in secondary {
                let directory = mount + relative
                // A leftover below a lock that was free is nobody's: it is taken over.
                if mkdir(directory, 0o755) == 0 {
                    made.append(directory)
                } else {
                    try FileSystem.makeDirectories(directory, mode: 0o755)
                }
            }
            inheritProcessors(relative)
        } catch {
            for directory in made.reversed() { rmdir(directory) }
            throw error
        }
    }

    /// Creates a cgroup that has children (the root, kubepods, a QoS class, a pod) and its missing parents, and hands
    /// the controllers down to its children. An existing cgroup is fine.
    public func createIfNeeded(_ path: String) throws(KernelError) {
        let relative = try resolve(path)
        let anchor = try requireAnchor()
        try FileSystem.makeDirectories(anchor + relative, mode: 0o755)
        for mount in secondary { try FileSystem.makeDirectories(mount + relative, mode: 0o755) }
        inheritProcessors(relative)
        if let memory = hierarchies.v1[.memory] { accountHierarchically(memory, relative) }
        if hierarchies.unified == anchor { enableControllers(anchor, relative) }
    }

    /// v1 kernels before 5.11 count a child's memory for its parent only when told so while the parent has no children.
    private func accountHierarchically(_ mount: String, _ relative: String) {
        for directory in levels(relative).map({ mount + $0 }) {
            let file = directory + "/memory.use_hierarchy"
            if (try? CgroupFile.readNumber(file)) == 0 {
                // Refused where children exist already: then an ancestor's limit does not bind them, as on any such
                // host.
                try? FileSystem.writeKernelFile(file, "1")
            }
        }
    }

    /// A cpuset of v1 starts out empty: it gets what its parent has. What cannot be written turns up when a process
    /// joins.
    private func inheritProcessors(_ relative: String) {
        guard let mount = v1CPUSets else { return }
        for level in levels(relative) {
            let directory = mount + level
            let parent = directory[..<(directory.lastIndex(of: "/") ?? directory.endIndex)]
            for name in ["/cpuset.mems", "/cpuset.cpus"] {
                guard (try? CgroupFile.readWords(directory + name)) == [],
                    let words = try? CgroupFile.readWords(parent + name), let value = words.first
                else { continue }
                try? FileSystem.writeKernelFile(directory + name, value)
            }
        }
    }

    /// Writes `cgroup.subtree_control` from the mount point down to `relative`. What cannot be enabled (another
    /// manager's processes in the way, a delegated subtree) turns up as a shortfall when a limit needs it.
    private func enableControllers(_ mount: String, _ relative: String) {
        let wanted = CgroupController.enabledOnV2.filter(unifiedControllers.contains)
        guard !wanted.isEmpty else { return }
        let levels = [""] + levels(relative)
        if missing(wanted, offeredBy: mount + relative).isEmpty, let last = levels.last {
            enable(wanted, in: mount + last)
            return
        }
        for level in levels { enable(wanted, in: mount + level) }
    }

    private func missing(_ wanted: [CgroupController], offeredBy directory: String) -> [CgroupController] {
        let offered = (try? CgroupFile.readWords(directory + "/cgroup.controllers")) ?? []
        return wanted.filter { !offered.contains($0.rawValue) }
    }

    private func enable(_ wanted: [CgroupController], in directory: String) {
        let file = directory + "/cgroup.subtree_control"
        guard let enabled = try? CgroupFile.readWords(file) else { return }
        let needed = wanted.filter { !enabled.contains($0.rawValue) }
        if needed.isEmpty { return }
        if (try? FileSystem.writeKernelFile(file, needed.map { "+" + $0.rawValue }.joined(separator: " "))) != nil {
            return
        }
        // One that cannot be enabled spoils the whole line: take what is possible.
        for controller in needed { try? FileSystem.writeKernelFile(file, "+" + controller.rawValue) }
    }

    /// `/a`, `/a/b`, … of `/a/b`.
    private func levels(_ relative: String) -> [String] {
        var level = ""
        return relative.split(separator: "/").map { component in
            level += "/" + component
            return level
        }
    }

    // MARK: Looking

    /// Whether the cgroup exists, which is whether its lock is held.
    public func exists(_ path: String) -> Bool {
        guard let directory = try? anchorDirectory(path) else { return false }
        return FileSystem.exists(directory)
    }

    /// Names of the cgroups directly below, sorted; none when the cgroup does not exist.
    public func children(_ path: String) throws(KernelError) -> [String] {
        do {
            let directory = try OwnedDescriptor.open(try anchorDirectory(path), O_RDONLY | O_DIRECTORY)
            return try CgroupFile.childNames(of: directory)
        } catch {
            if error.errno == .noSuchFileOrDirectory { return [] }
            throw error
        }
    }

    /// How a new process joins.
    public func joinPoints(_ path: String) throws(KernelError) -> CgroupJoinPoints {
        let relative = try resolve(path)
        let anchor = try requireAnchor()
        let isUnified = hierarchies.unified == anchor
        // Cgroups of an agent that did not use this hierarchy yet have no directory in it.
        let devices = hierarchies.v1[.devices]
        let joined = (isUnified ? secondary : [anchor] + secondary).filter { mount in
            mount != devices || FileSystem.exists(mount + relative)
        }
        return CgroupJoinPoints(
            v2Directory: isUnified ? anchor + relative : nil, v1TasksFiles: joined.map { $0 + relative + "/tasks" })
    }
}
