import Glibc
import LinuxKernel
import MonitorCore
import SystemPackage

/// Rebuilds what is known of containers from the kernel and their directories.
enum ContainerRecovery {
    /// A container found on disk, and how it stands.
    struct Found: Sendable {
        let record: ContainerRecord
        let outcome: Outcome
    }

    enum Outcome: Sendable {
        /// Its monitor answers on this descriptor, which the receiver owns.
        case alive(socket: Int32)
        case ended(ExitRecord)
    }

    /// What a scan saw: containers, and directories that are none (their names).
    struct Scan: Sendable {
        var found: [Found] = []
        var unreadable: [String] = []
    }

    static func scan(_ configuration: RuntimeConfiguration, bootID: String) throws(KernelError) -> Scan {
        var scan = Scan()
        for id in try FileSystem.list(configuration.containersDirectory) {
            let directory = configuration.runDirectory(of: id)
            guard let bytes = try? FileSystem.read(directory + "/record"),
                let record = try? ContainerRecord(decoding: bytes), record.id == id
            else {
                scan.unreadable.append(id)
                continue
            }
            scan.found.append(Found(record: record, outcome: outcome(of: record, directory, configuration, bootID)))
        }
        return scan
    }

    private static func outcome(
        of record: ContainerRecord, _ directory: String, _ configuration: RuntimeConfiguration, _ bootID: String
    ) -> Outcome {
        if let exit = exitRecord(in: directory) { return .ended(exit) }
        if record.bootID == bootID, let socket = try? MonitorProcess.connect(to: directory) {
            return .alive(socket: socket.release())
        }
        return .ended(endOfLostMonitor(record.id, record.config, configuration))
    }

    static func exitRecord(in directory: String) -> ExitRecord? {
        guard let bytes = try? FileSystem.read(directory + "/exit", limit: 4096) else { return nil }
        return try? ExitRecord(decoding: bytes)
    }

    /// The end of a container whose monitor is gone: the record it left, or else a kill of whatever still runs, and 137.
    static func endOfLostMonitor(
        _ id: String, _ config: ContainerConfig, _ configuration: RuntimeConfiguration
    ) -> ExitRecord {
        let directory = configuration.runDirectory(of: id)
        if let record = exitRecord(in: directory) { return record }
        try? configuration.cgroups.kill(config.cgroupPath)
        // Said to have ended only once nothing of it runs.
        _ = try? configuration.cgroups.waitUntilEmpty(config.cgroupPath, timeout: .seconds(10))
        let record = ExitRecord(released: true, signal: SIGKILL, finishedAt: RealTime.nanoseconds())
        // Said once and kept: a second look must not find another end.
        try? FileSystem.writeAtomically(directory + "/exit", record.encoded(), durable: false)
        return record
    }
}
