import CLinux
import Glibc
import LinuxKernel
import MonitorCore
import Synchronization
import SystemPackage

/// The kernel work of creating a container, up to the spawn of its monitor. What fails is undone in reverse order.
enum ContainerLaunch {
    /// A monitor that was spawned.
    final class Made: Sendable {
        let plan: LaunchPlan
        let monitorPID: pid_t
        let createdAt: Int64
        let shortfalls: [CgroupShortfall]
        private let socket: Mutex<Int32>

        init(
            _ monitor: consuming MonitorProcess.Spawned, plan: LaunchPlan, createdAt: Int64,
            shortfalls: [CgroupShortfall]
        ) {
            self.plan = plan
            self.monitorPID = monitor.pid
            self.createdAt = createdAt
            self.shortfalls = shortfalls
            self.socket = Mutex(monitor.socket.release())
        }

        /// The connection, once.
        func takeSocket() -> OwnedDescriptor {
            OwnedDescriptor(
                owning: socket.withLock { socket in
                    defer { socket = -1 }
                    return socket
                })
        }
    }

    static func make(
        _ id: String, _ config: ContainerConfig, _ sandbox: PodSandbox, _ configuration: RuntimeConfiguration,
        bootID: String, target: ProcessIdentity? = nil
    ) throws(RuntimeError) -> Made {
        let cgroups = configuration.cgroups
        do throws(KernelError) {
            // This mkdir is the lock: one instance of (pod, container, attempt), whatever crashes and retries.
            try cgroups.create(config.cgroupPath)
        } catch {
            if error.errno == .fileExists {
                throw RuntimeError(
                    .alreadyExists,
                    "an instance of container \"\(config.metadata.name)\" exists: cgroup \(config.cgroupPath)")
            }
            throw RuntimeError(error)
        }
        do {
            return try makeLocked(id, config, sandbox, configuration, bootID: bootID, target: target)
        } catch {
            try? FileSystem.removeTree(configuration.layerDirectory(of: id))
            try? FileSystem.removeTree(configuration.runDirectory(of: id))
            try? cgroups.removeTree(config.cgroupPath)
            throw error
        }
    }

    private static func makeLocked(
        _ id: String, _ config: ContainerConfig, _ sandbox: PodSandbox, _ configuration: RuntimeConfiguration,
        bootID: String, target: ProcessIdentity?
    ) throws(RuntimeError) -> Made {
        let directory = configuration.runDirectory(of: id)
        let layer = configuration.layerDirectory(of: id)
        try requirePropagation(of: config.mounts)
        let seccomp = try seccomp(config, configuration)
        let plan = try plan(config, sandbox, configuration, directory: directory, layer: layer, seccomp: seccomp)
        do throws(KernelError) {
            var shortfalls = try configuration.cgroups.apply(config.resources, to: config.cgroupPath)
            if !config.privileged {
                let shortfall = try configuration.cgroups.restrictDevices(
                    DeviceRule.containerDefault + config.devices.map(\.rule), of: config.cgroupPath)
                if let shortfall { shortfalls.append(shortfall) }
            }
            try FileSystem.makeDirectories(directory + "/rootfs")
            try FileSystem.makeDirectories(layer + "/upper", mode: 0o755)
            try FileSystem.makeDirectories(layer + "/work")
            // The upper directory becomes the container's "/": readable by all of its users.
            try kernelCall("chmod", layer + "/upper") { chmod(layer + "/upper", 0o755) }
            if let root = sandbox.ids?.first {
                try kernelCall("chown", layer + "/upper") { lchown(layer + "/upper", root, root) }
            }
            if case .localhost = config.seccomp, let seccomp {
                try FileSystem.writeAtomically(configuration.seccompFile(of: id), seccomp, durable: false)
            }
            let createdAt = RealTime.nanoseconds()
            let record = ContainerRecord(id: id, bootID: bootID, createdAt: createdAt, config: config)
            try FileSystem.writeAtomically(directory + "/record", record.encoded(), durable: false)
            let held = try target.map(hold)
            let monitor = try MonitorProcess.spawn(
                configuration.monitorPath, plan: plan, directory: directory,
                targetPidFD: held?.descriptor.raw ?? -1)
            return Made(monitor, plan: plan, createdAt: createdAt, shortfalls: shortfalls)
        } catch { throw RuntimeError(error) }
    }

    /// A process held by its descriptor while a monitor is being spawned that joins its PID namespace.
    private final class HeldProcess {
        let descriptor: OwnedDescriptor

        init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }
    }

    /// Opened before it is made sure that the process is the one meant, so that no reused number gets in.
    private static func hold(_ target: ProcessIdentity) throws(KernelError) -> HeldProcess {
        let held = HeldProcess(
            OwnedDescriptor(owning: try kernelCall("pidfd_open") { CLinux_pidfd_open(target.pid, 0) }))
        guard try ProcFS.status(of: target.pid).startTime == target.startTime else {
            throw KernelError("pidfd_open", "\(target.pid)", errno: .noSuchProcess)
        }
        return held
    }

    private static func plan(
        _ config: ContainerConfig, _ sandbox: PodSandbox, _ configuration: RuntimeConfiguration, directory: String,
        layer: String, seccomp: [UInt8]?
    ) throws(RuntimeError) -> LaunchPlan {
        let host: HostFacts
        do throws(KernelError) { host = try HostFacts.read(for: config) } catch { throw RuntimeError(error) }
        var plan = try LaunchPlanner.plan(
            config, sandbox: sandbox,
            places: LaunchPlanner.Places(root: directory + "/rootfs", upper: layer + "/upper", work: layer + "/work"),
            cgroup: try cgroupFacts(config, configuration), host: host, seccomp: seccomp)
        plan.logLimit = configuration.logLimit
        return plan
    }

    /// What cannot travel because the host's mount is private is refused: the container would wait for it in vain.
    private static func requirePropagation(of mounts: [ContainerMount]) throws(RuntimeError) {
        for mount in mounts where mount.propagation != .none {
            let propagation: MountPropagation
            do throws(KernelError) { propagation = try MountPropagation.of(mount.hostPath) } catch {
                throw RuntimeError(error)
            }
            switch mount.propagation {
            case .bidirectional where !propagation.isShared:
                throw RuntimeError(
                    .invalidConfiguration,
                    "mountPropagation Bidirectional of \"\(mount.containerPath)\": \(mount.hostPath) is on a mount that is "
                        + "not shared; make it so with `mount --make-shared`")
            case .hostToContainer where !propagation.isShared && !propagation.hasMaster:
                throw RuntimeError(
                    .invalidConfiguration,
                    "mountPropagation HostToContainer of \"\(mount.containerPath)\": \(mount.hostPath) is on a private "
                        + "mount; make it shared with `mount --make-shared`")
            case .none, .bidirectional, .hostToContainer: break
            }
        }
    }

    static func cgroupFacts(
        _ config: ContainerConfig, _ configuration: RuntimeConfiguration
    ) throws(RuntimeError) -> LaunchPlanner.CgroupFacts {
        let cgroups = configuration.cgroups
        do throws(KernelError) {
            return LaunchPlanner.CgroupFacts(
                joinPoints: try cgroups.joinPoints(config.cgroupPath),
                outOfMemoryEventsFile: try cgroups.oomEventsFile(config.cgroupPath),
                outOfMemoryEventControlFile: try cgroups.oomEventControl(config.cgroupPath)?.eventControl,
                v1Controllers: cgroups.hierarchies.v1.keys.map(\.v1Name).filter(shownControllers.contains).sorted(),
                hasUnified: cgroups.hierarchies.unified != nil)
        } catch { throw RuntimeError(error) }
    }

    /// v1 controllers that programs look for in their own /sys/fs/cgroup, to size themselves.
    private static let shownControllers: Set<String> = ["cpu", "cpuacct", "memory", "pids"]

    /// The filter of a container that is about to start; nil for none.
    private static func seccomp(
        _ config: ContainerConfig, _ configuration: RuntimeConfiguration
    ) throws(RuntimeError) -> [UInt8]? {
        if config.privileged { return nil }
        switch config.seccomp {
        case .unconfined: return nil
        case .runtimeDefault: return try SeccompFilter.runtimeDefault(config.capabilities)
        case .localhost(let name):
            return try SeccompFilter.localhost(
                name, in: SeccompProfileDirectory(path: configuration.seccompDirectory), config.capabilities)
        }
    }

    /// The filter of a container that runs: whatever its profile's file says by now.
    static func seccomp(
        ofRunning id: String, _ config: ContainerConfig, _ configuration: RuntimeConfiguration
    ) throws(RuntimeError) -> [UInt8]? {
        guard !config.privileged, case .localhost = config.seccomp else { return try seccomp(config, configuration) }
        do throws(KernelError) {
            let limit = SeccompProgram.maximumLength * 8
            return try FileSystem.read(configuration.seccompFile(of: id), limit: limit)
        } catch { throw RuntimeError(.invalidState, "the container's seccomp filter is lost: \(error)") }
    }
}

/// The wall clock, for what people and the API read. Durations never come from it.
enum RealTime {
    static func nanoseconds() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    }
}
