import CLinux
import MonitorCoreEmbedded

/// A process cloned by the monitor: init or an exec. Its report socket says what became of the launch, its pidfd when it ends.
struct ChildProcess {
    let pid: Int32
    let pidFD: Int32
    /// -1 once closed: by execve (launched), or after a failure.
    var report: Int32

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

    func signal(_ number: Int32) {
        _ = CLinux_pidfd_send_signal(pidFD, number)
    }

    /// Clones a process that carries `plan` out on `standard` (stdin, stdout, stderr).
    static func launch(
        _ plan: LaunchPlan, standard: (Int32, Int32, Int32), initPidFD: Int32
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
        let pid = try call { CLinux_clone3(flags, &pidFD, cgroupDescriptor, UInt64(SIGCHLD)) }
        if pid == 0 { become(plan, standard: standard, report: theirs.raw, initPidFD: initPidFD) }
        return ChildProcess(pid: Int32(pid), pidFD: pidFD, report: ours.release())
    }

    /// The child's side: never returns.
    private static func become(
        _ plan: LaunchPlan, standard: (Int32, Int32, Int32), report: Int32, initPidFD: Int32
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
        carryOut(plan.steps, report: report, initPidFD: initPidFD)
    }

    /// Carries steps out in this process, which the last of them replaces or ends; a failure is reported.
    static func carryOut(_ steps: [LaunchStep], report: Int32, initPidFD: Int32) -> Never {
        var interpreter = LaunchInterpreter(report: report, initPidFD: initPidFD)
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
