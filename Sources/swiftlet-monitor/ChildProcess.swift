import CLinux
import MonitorCoreEmbedded

/// A process cloned by the monitor: init or an exec. Its report socket says what became of the launch, its pidfd when it ends.
struct ChildProcess {
    private(set) var pid: Int32
    private(set) var pidFD: Int32
    /// -1 once closed: by execve (launched), or after a failure.
    var report: Int32
    /// Of a launcher outside the container's PID namespace, until its successor is followed.
    private var note: SuccessorNote?
    /// The last signal that a launcher was sent: it is meant for its successor too.
    private var pendingSignal: Int32 = 0

    /// - Parameter note: of a launcher that ends in a successor.
    init(pid: Int32, pidFD: Int32, report: Int32, note: SuccessorNote? = nil) {
        self.pid = pid
        self.pidFD = pidFD
        self.report = report
        self.note = note
    }

    /// Whether it is not yet seen in the container.
    var isLauncher: Bool { note != nil }

    /// What a readable report socket says.
    enum Report {
        case ready
        case failed(LaunchFailure)
        /// The process is about to end; the launch goes on in this one, the caller's child too.
        case successor(pid: Int32)
        case closed
        case nothing
    }

    mutating func readReport() -> Report {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = bytes.withUnsafeMutableBytes { recv(report, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT)) }
        if count < 0, CLinux_errno() == EAGAIN || CLinux_errno() == EINTR { return .nothing }
        if count == 1 { return .ready }
        if count == 4 {
            var reader = WireReader([UInt8](bytes[0..<4]))
            do { return .successor(pid: try reader.readInt32()) } catch { return .nothing }
        }
        if count == 8 {
            var reader = WireReader([UInt8](bytes[0..<8]))
            do {
                return .failed(LaunchFailure(step: try reader.readUInt32(), errno: try reader.readInt32()))
            } catch { return .failed(LaunchFailure(step: LaunchFailure.noStep, errno: EPROTO)) }
        }
        close(report)
        report = -1
        return .closed
    }

    /// Reaps the process: its exit status and signal.
    func reap() -> (exitCode: Int32, signal: Int32) {
        var information = siginfo_t()
        while CLinux_wait_pidfd(pidFD, &information, WEXITED) != 0 {
            if CLinux_errno() != EINTR { return (exitCode: 255, signal: 0) }
        }
        let status = CLinux_siginfo_status(&information)
        // CLD_EXITED is 1; CLD_KILLED and CLD_DUMPED carry the signal.
        return CLinux_siginfo_code(&information) == 1 ? (status, 0) : (0, status)
    }

    mutating func signal(_ number: Int32) {
        if isLauncher { pendingSignal = number }
        _ = CLinux_pidfd_send_signal(pidFD, number)
    }

    /// To be called when a launcher has ended: whether the launch goes on in a successor, which this one then stands for.
    mutating func follow() throws(SystemError) -> Bool {
        guard let note else { return false }
        let successor = note.pid
        self.note = nil
        note.forget()
        if successor == 0 { return false }
        // No other process can have the number: the successor is not reaped. Opened before the other is closed, so that no number
        // of a descriptor stands for both.
        let descriptor = try call { CLinux_pidfd_open(successor, 0) }
        _ = reap()
        close(pidFD)
        (pid, pidFD) = (successor, descriptor)
        if pendingSignal != 0 { signal(pendingSignal) }
        return true
    }

    /// How a process enters a PID namespace that is there already.
    enum Entry {
        case none
        /// The container's own, with its other namespaces: by a launcher.
        case execution(initPidFD: Int32)
        /// That of the process of a pidfd, which lends its /proc: by a launcher.
        case sharing(pidFD: Int32)
    }

    /// Clones a process that carries `plan` out on `standard` (stdin, stdout, stderr).
    static func launch(
        _ plan: LaunchPlan, standard: (Int32, Int32, Int32), entry: Entry
    ) throws(SystemError) -> ChildProcess {
        var pair: (Int32, Int32) = (-1, -1)
        try call {
            withUnsafeMutablePointer(to: &pair) {
                $0.withMemoryRebound(to: Int32.self, capacity: 2) {
                    socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0, $0)
                }
            }
        }
        let ours = Descriptor(owning: pair.0)
        let theirs = Descriptor(owning: pair.1)
        var flags = plan.cloneFlags | UInt64(CLONE_PIDFD)
        var cgroup = Descriptor(owning: -1)
        if let directory = plan.cgroupDirectory {
            cgroup = Descriptor(
                owning: try call { directory.withPointer { CLinux_open($0, O_PATH | O_DIRECTORY | O_CLOEXEC, 0) } })
            flags |= UInt64(CLINUX_CLONE_INTO_CGROUP)
        }
        var pidFD: Int32 = -1
        let cgroupDescriptor = cgroup.raw < 0 ? 0 : UInt64(cgroup.raw)
        let note: SuccessorNote?
        if case .none = entry { note = nil } else { note = try SuccessorNote() }
        let pid: Int
        do { pid = try call { CLinux_clone3(flags, &pidFD, cgroupDescriptor, UInt64(SIGCHLD)) } } catch {
            note?.forget()
            throw error
        }
        if pid == 0 { become(plan, standard: standard, report: theirs.raw, entry: entry, note: note) }
        return ChildProcess(pid: Int32(pid), pidFD: pidFD, report: ours.release(), note: note)
    }

    /// The child's side: never returns.
    private static func become(
        _ plan: LaunchPlan, standard: (Int32, Int32, Int32), report: Int32, entry: Entry, note: SuccessorNote?
    ) -> Never {
        CLinux_signal_default(SIGTERM)
        CLinux_signal_default(SIGINT)
        CLinux_signal_default(SIGHUP)
        setsid()
        // What is made has the mode that the plan says.
        umask(0)
        guard dup2(standard.0, 0) == 0, dup2(standard.1, 1) == 1, dup2(standard.2, 2) == 2 else {
            fail(LaunchFailure(step: LaunchFailure.noStep, errno: EBADF), report: report)
        }
        carryOut(plan.steps, report: report, entry: entry, note: note)
    }

    /// Carries steps out in this process, which the last of them replaces or ends; a failure is reported.
    static func carryOut(
        _ steps: [LaunchStep], report: Int32, entry: Entry = .none, note: SuccessorNote? = nil
    ) -> Never {
        var interpreter = LaunchInterpreter(report: report, entry: entry, note: note)
        fail(interpreter.run(steps), report: report)
    }

    private static func fail(_ failure: LaunchFailure, report: Int32) -> Never {
        var writer = WireWriter()
        writer.write(failure.step)
        writer.write(failure.errno)
        let bytes = writer.bytes
        _ = bytes.withUnsafeBytes { send(report, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        _exit(127)
    }
}
