import Glibc
import LinuxKernel

/// The processes a node has started, found by the place they work in: they outlive the agent that started them.
enum NodeProcesses {
    /// A container's first process, and its monitor, with the start times that tell them from others of the same number.
    struct Container: Hashable, Sendable {
        let monitor: pid_t
        let monitorStartTime: UInt64
        let pid: pid_t
        let startTime: UInt64
    }

    /// By container id, as `swiftlet://` shows it.
    static func containers(run: String) throws(KernelError) -> [String: Container] {
        let processes = try FileSystem.list("/proc").compactMap { Int32($0) }
            // One that ends meanwhile is none.
            .compactMap { try? ProcFS.status(of: $0) }
        let children = Dictionary(grouping: processes, by: \.parent)
        let directory = run + "/containers/"
        var containers: [String: Container] = [:]
        for monitor in processes where monitor.command.hasPrefix("swiftlet-mon") {
            guard let place = FileSystem.linkTarget("/proc/\(monitor.pid)/cwd"), place.hasPrefix(directory),
                // Commands run in the container are the monitor's children too, later ones.
                let first = children[monitor.pid]?.min(by: { $0.startTime < $1.startTime })
            else { continue }
            containers[String(place.dropFirst(directory.count))] = Container(
                monitor: monitor.pid, monitorStartTime: monitor.startTime, pid: first.pid, startTime: first.startTime)
        }
        return containers
    }
}
