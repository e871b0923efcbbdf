import CLinux
import MonitorCoreEmbedded

/// What init leaves in the container's cgroup when its PID namespace is not the container's own: nothing may live on, and no
/// end is told before it is everything's.
struct RemainingProcesses {
    /// Looks at the list, 2 ms apart. What cannot be killed (a process in uninterruptible sleep) is the agent's to wait for.
    private static let lookLimit = 500

    /// The container's cgroup in one hierarchy; nil when the plan names none.
    private let directory: [UInt8]?

    init(of plan: LaunchPlan) {
        if let unified = plan.cgroupDirectory {
            directory = [UInt8](unified.text)
            return
        }
        for step in plan.steps {
            guard case .joinCgroup(let tasksFile) = step else { continue }
            let text = [UInt8](tasksFile.text)
            directory = text.lastIndex(of: 0x2F).map { [UInt8](text[..<$0]) }
            return
        }
        directory = nil
    }

    /// Returns when all are gone.
    func end() {
        guard let directory, let killFile = file("/cgroup.kill", in: directory),
            let list = file("/cgroup.procs", in: directory)
        else { return }
        let isKilled = write(0x31, to: killFile)
        for _ in 0..<RemainingProcesses.lookLimit {
            let processes = listed(in: list)
            if processes.isEmpty { return }
            if !isKilled { signal(processes, listedIn: list) }
            poll(nil, 0, 2)
        }
    }

    /// False where the kernel cannot end a cgroup as a whole: v1, and before Linux 5.14.
    private func write(_ byte: UInt8, to file: CString) -> Bool {
        let descriptor = file.withPointer { CLinux_open($0, O_WRONLY | O_CLOEXEC, 0) }
        if descriptor < 0 { return false }
        defer { close(descriptor) }
        do { try writeAll(descriptor, [byte]) } catch { return false }
        return true
    }

    /// A number that is still listed after its process was opened is that process's: no other one is ever hit.
    private func signal(_ processes: [Int32], listedIn list: CString) {
        var opened: [(pid: Int32, descriptor: Int32)] = []
        for process in processes.prefix(256) {
            let descriptor = CLinux_pidfd_open(process, 0)
            if descriptor >= 0 { opened.append((process, descriptor)) }
        }
        let still = listed(in: list)
        for entry in opened {
            if still.contains(entry.pid) { _ = CLinux_pidfd_send_signal(entry.descriptor, SIGKILL) }
            close(entry.descriptor)
        }
    }

    private func listed(in list: CString) -> [Int32] {
        do { return RemainingProcesses.parse(try readFile(list, limit: 1 << 20)) } catch { return [] }
    }

    private func file(_ name: StaticString, in directory: [UInt8]) -> CString? {
        var path = directory
        name.withUTF8Buffer { path.append(contentsOf: $0) }
        return CString(path)
    }

    /// One number a line; 0 is a process of a foreign PID namespace.
    private static func parse(_ text: [UInt8]) -> [Int32] {
        var processes: [Int32] = []
        for line in text.split(separator: 10) {
            var value: Int32 = 0
            for byte in line where byte >= 0x30 && byte <= 0x39 { value = value &* 10 &+ Int32(byte - 0x30) }
            if value > 0 { processes.append(value) }
        }
        return processes
    }
}
