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
                try FileSystem.makeHierarchyTop(configuration.containersDirectory)
                try FileSystem.makeHierarchyTop(configuration.sandboxesDirectory)
                try FileSystem.makeHierarchyTop(configuration.stateDirectory + "/containers")
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
        await recoverIDs()
        for id in containersByID.keys { await forgetIfUnreleased(id) }
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
            insert(Entry(status: status, isAdopted: true))
        case .alive(let socket):
            insert(Entry(status: status, isAdopted: true))
            do throws(KernelError) {
                containersByID[record.id]?.connection = try connect(OwnedDescriptor(owning: socket), record.id)
            } catch { notify.yield((record.id, .closed)) }
        }
    }

    /// Waits until the adopted monitors have said how their containers stand. One that was never released ends by itself: its
    /// creator is gone. A monitor that does not answer (stopped, or starved) delays nobody but its own pod, by
    /// ``waitUntilSettled(podUID:)``.
    private func settle() async {
        let waits = containersByID.keys.map { id in
            PendingSettlement(id: id, deadline: ContinuousClock.now.advanced(by: Self.settlementTime))
        }
        for wait in waits where await !isSettled(wait.id, by: wait.deadline) {
            logger.warning("a monitor does not answer", metadata: ["container": "\(wait.id)"])
        }
    }

    private struct PendingSettlement {
        let id: String
        let deadline: ContinuousClock.Instant
    }

    private static let settlementTime = Duration.seconds(2)

    private func isSettled(_ id: String, by deadline: ContinuousClock.Instant) async -> Bool {
        if containersByID[id]?.status.state.isSettled != false { return true }
        return await withTaskGroup(of: Bool.self) { group in
            group.addTask { await self.waitForState(of: id) { $0.isSettled } != nil }
            group.addTask {
                try? await ContinuousClock().sleep(until: deadline)
                return false
            }
            let first = await group.next() ?? false
            group.cancelAll()
            return first
        }
    }

    /// Returns once it is known of each adopted container of the pod whether it runs.
    public func waitUntilSettled(podUID: String) async {
        for entry in entries(ofPod: podUID) where entry.isAdopted {
            _ = await waitForState(of: entry.status.id) { $0.isSettled }
            await forgetIfUnreleased(entry.status.id)
        }
    }

    /// A container that the agent before had made but not yet released: nothing of it ever ran. It is as if it had never been,
    /// so that making it again is no restart.
    private func forgetIfUnreleased(_ id: String) async {
        guard let entry = containersByID[id], entry.isAdopted, let record = entry.status.exitRecord, !record.released,
            record.failure == nil
        else { return }
        let log = entry.status.config.logPath
        try? await removeContainer(id)
        _ = await pool.run { unlink(log) }
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
