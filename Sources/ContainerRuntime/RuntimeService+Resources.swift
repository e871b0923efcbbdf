public import LinuxKernel

extension RuntimeService {
    /// Sets limits of a container as it runs.
    ///
    /// - Returns: the limits that this host does not enforce.
    public func updateContainerResources(
        _ id: String, _ resources: CgroupResources
    ) async throws(RuntimeError) -> [CgroupShortfall] {
        guard let entry = containersByID[id] else { throw RuntimeError(.notFound, "container \(id) does not exist") }
        // Its cgroup went with it.
        if entry.status.exitRecord != nil { return [] }
        let (cgroups, path) = (configuration.cgroups, entry.status.config.cgroupPath)
        return try await pool.run { () throws(RuntimeError) in
            do throws(KernelError) { return try cgroups.apply(resources, to: path) } catch {
                throw RuntimeError(error)
            }
        }
    }

    /// Keeps labels with a container beside those it has, also for an agent after this one.
    public func addLabels(_ labels: [String: String], to id: String) async throws(RuntimeError) {
        guard let entry = containersByID[id] else { throw RuntimeError(.notFound, "container \(id) does not exist") }
        var config = entry.status.config
        config.labels.merge(labels) { _, new in new }
        guard config.labels != entry.status.config.labels else { return }
        containersByID[id]?.status.config.labels = config.labels
        let record = ContainerRecord(id: id, bootID: bootID, createdAt: entry.status.createdAt, config: config)
        let path = configuration.runDirectory(of: id) + "/record"
        try await pool.run { () throws(RuntimeError) in
            do throws(KernelError) { try FileSystem.writeAtomically(path, record.encoded(), durable: false) } catch {
                throw RuntimeError(error)
            }
        }
    }
}
