import Glibc
import LinuxKernel
import Logging
import MonitorCore

extension RuntimeService {
    /// Adopts every sandbox and container that an earlier agent left, running ones with the same processes, and removes what
    /// belongs to none. Call it once, before anything else, with ``run()`` running.
    public func start() async throws(RuntimeError) {
        let (configuration, bootID) = (configuration, bootID)
        let (scan, sandboxes) = try await pool.run {
            () throws(RuntimeError) -> (ContainerRecovery.Scan, [(PodSandbox, Bool)]) in
            do throws(KernelError) {
                try FileSystem.makeDirectories(configuration.containersDirectory)
                try FileSystem.makeDirectories(configuration.sandboxesDirectory)
                try FileSystem.makeDirectories(configuration.stateDirectory + "/containers")
                try configuration.cgroups.createIfNeeded("")
                return (
                    try ContainerRecovery.scan(configuration, bootID: bootID),
                    try SandboxRecovery.scan(configuration, bootID: bootID)
                )
            } catch { throw RuntimeError(error) }
        }
        for (sandbox, isReady) in sandboxes {
            sandboxesByID[sandbox.id] = sandbox
            if isReady { readySandboxes.insert(sandbox.id) }
        }
        for found in scan.found { adopt(found) }
        await settle()
        await forgetUnreleased()
        let known = Set(containersByID.keys)
        let paths = Set(containersByID.values.map(\.status.config.cgroupPath))
        let failures = await pool.run { () -> [KernelError] in
            Leftovers.remove(known: known, cgroupPaths: paths, unreadable: scan.unreadable, configuration)
        }
        for failure in failures { logger.warning("leftover not removed", metadata: ["error": "\(failure)"]) }
    }

    private func adopt(_ found: ContainerRecovery.Found) {
        let record = found.record
        var status = ContainerInstance(
            id: record.id, config: record.config, createdAt: record.createdAt, state: .launching, shortfalls: [])
        switch found.outcome {
        case .ended(let exit):
            status.state = .exited(exit)
            let words = try? FileSystem.readText(configuration.runDirectory(of: record.id) + "/failure", limit: 4096)
            status.failureMessage = words
            containersByID[record.id] = Entry(status: status)
        case .alive(let socket):
            containersByID[record.id] = Entry(status: status)
            do throws(KernelError) {
                containersByID[record.id]?.connection = try connect(OwnedDescriptor(owning: socket), record.id)
            } catch { notify.yield((record.id, .closed)) }
        }
    }

    /// Waits until every adopted monitor has said how its container stands. One that was never released ends by itself: its
    /// creator is gone.
    private func settle() async {
        for id in containersByID.keys {
            _ = await waitForState(of: id) { state in
                switch state {
                case .launching, .created: false
                case .running, .exited: true
                }
            }
        }
    }
}

extension RuntimeService {
    /// Containers that the agent before had made but not yet released: nothing of them ever ran. They are as if they had never
    /// been, so that making them again is no restart.
    private func forgetUnreleased() async {
        for entry in containersByID.values {
            guard let record = entry.status.exitRecord, !record.released, record.failure == nil else { continue }
            let log = entry.status.config.logPath
            try? await removeContainer(entry.status.id)
            _ = await pool.run { unlink(log) }
        }
    }
}

/// What a crash can leave behind that belongs to no record.
private enum Leftovers {
    static func remove(
        known: Set<String>, cgroupPaths: Set<String>, unreadable: [String], _ configuration: RuntimeConfiguration
    ) -> [KernelError] {
        var failures: [KernelError] = []
        func attempt(_ body: () throws(KernelError) -> Void) {
            do throws(KernelError) { try body() } catch { failures.append(error) }
        }
        attempt { () throws(KernelError) in
            try removeCgroups(under: "", keeping: cgroupPaths, configuration.cgroups)
        }
        for id in unreadable {
            attempt { () throws(KernelError) in try FileSystem.removeTree(configuration.runDirectory(of: id)) }
        }
        attempt { () throws(KernelError) in
            for id in try FileSystem.list(configuration.stateDirectory + "/containers") where !known.contains(id) {
                try FileSystem.removeTree(configuration.layerDirectory(of: id))
            }
        }
        return failures
    }

    /// Removes every cgroup at or below `path` that is neither a known container's nor above one. Pod and QoS levels without
    /// containers are left for their owner, who may be about to use them.
    private static func removeCgroups(
        under path: String, keeping paths: Set<String>, _ cgroups: CgroupManager
    ) throws(KernelError) {
        for child in try cgroups.children(path) {
            let childPath = path.isEmpty ? child : path + "/" + child
            if paths.contains(childPath) { continue }
            let isPod = child.hasPrefix("pod")
            let isAbove = paths.contains { $0.hasPrefix(childPath + "/") }
            if isPod && !isAbove {
                try cgroups.removeTree(childPath)
            } else if isPod {
                for container in try cgroups.children(childPath) where !paths.contains(childPath + "/" + container) {
                    try cgroups.removeTree(childPath + "/" + container)
                }
            } else {
                try removeCgroups(under: childPath, keeping: paths, cgroups)
            }
        }
    }
}
