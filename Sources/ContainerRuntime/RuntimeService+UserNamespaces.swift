import LinuxKernel

extension RuntimeService {
    /// Finds out whether pods can have user namespaces, and which ids those have that an earlier agent made. Before any other
    /// sandbox is made.
    func recoverIDs() async {
        let configuration = configuration
        userNamespaceProblem = await pool.run { UserNamespaceSupport.problem(configuration) }
        // Kept also on a node that can make no more of them: what runs keeps its ids.
        var allocator = IDRangeAllocator(pool: (try? configuration.idRanges.get()) ?? .standard)
        for entry in containersByID.values where sandboxesByID[entry.status.sandboxID] == nil {
            guard case .running(let identity, _) = entry.status.state, let ids = Self.ids(ofProcess: identity.pid)
            else {
                continue
            }
            // Its sandbox's record is lost: its processes are not.
            allocator.reserve(ids, for: entry.status.metadata.podUID)
        }
        for sandbox in sandboxesByID.values.sorted(by: { $0.attempt < $1.attempt }) {
            if let ids = sandbox.ids { allocator.reserve(ids, for: sandbox.podUID) }
        }
        idAllocator = allocator
    }

    /// The host ids of a process in a user namespace of ours.
    private static func ids(ofProcess pid: Int32) -> IDRange? {
        guard let text = try? FileSystem.readText("/proc/\(pid)/uid_map") else { return nil }
        let fields = text.split(whereSeparator: \.isWhitespace).map { UInt32($0) }
        guard fields.count == 3, fields[0] == 0, let first = fields[1], let count = fields[2],
            first >= IDRangePool.unit
        else { return nil }
        return IDRange(first: first, count: count)
    }

    /// The ids of a new sandbox: those the pod has, or new ones; nil for one in the host's user namespace.
    func allocateIDs(for config: PodSandboxConfig) throws(RuntimeError) -> IDRange? {
        guard config.hasUserNamespace else { return nil }
        guard !config.hostNetwork else {
            throw RuntimeError(
                .invalidConfiguration,
                "hostUsers: false with hostNetwork: the host's network is not the user namespace's: give up one of them"
            )
        }
        if let userNamespaceProblem {
            throw RuntimeError(
                .invalidConfiguration, "hostUsers: false: this node has no user namespaces: \(userNamespaceProblem)")
        }
        do throws(IDRangeError) { return try idAllocator?.allocate(for: config.podUID) } catch {
            throw RuntimeError(.invalidConfiguration, "hostUsers: false: \(error)")
        }
    }

    /// Gives a pod's ids back once nothing is left that has them.
    func releaseIDs(ofPod uid: String) {
        guard !sandboxesByID.values.contains(where: { $0.podUID == uid }),
            entries(ofPod: uid).isEmpty
        else { return }
        idAllocator?.release(uid)
    }
}
