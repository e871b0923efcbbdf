import CLinux
import Glibc
import SystemPackage

/// A process held by descriptor (pidfd_open(2)): signals go to this process or to none, never to a successor of its
/// number.
public struct PidFD: ~Copyable, Sendable {
    /// How a child ended.
    public enum Exit: Hashable, Sendable {
        case code(Int32)
        case signal(Int32, coreDumped: Bool)
    }

    public let pid: Int32
    private let descriptor: OwnedDescriptor

    private init(pid: Int32, descriptor: consuming OwnedDescriptor) {
        self.pid = pid
        self.descriptor = descriptor
    }

    /// Takes over a descriptor that the kernel made for a new process (`CLONE_PIDFD`).
    public init(pid: Int32, owning descriptor: consuming OwnedDescriptor) {
        self.init(pid: pid, descriptor: descriptor)
    }

    /// Readable when the process has ended; to be lent to an ``EpollLoop``.
    public var raw: Int32 { descriptor.raw }

    /// The process that has this number now; ESRCH when there is none. Right only for a number that cannot have been
    /// reused, such as an unreaped child's.
    public static func open(_ pid: Int32) throws(KernelError) -> PidFD {
        PidFD(
            pid: pid,
            descriptor: OwnedDescriptor(owning: try kernelCall("pidfd_open", "\(pid)") { CLinux_pidfd_open(pid, 0) }))
    }

    /// Exactly this process; ESRCH when it is gone, also when its number was given to another.
    public static func open(_ identity: ProcessIdentity) throws(KernelError) -> PidFD {
        let process = try open(identity.pid)
        // Read after the open: if the number still has the right start time, the descriptor is of that process.
        guard try ProcFS.status(of: identity.pid).startTime == identity.startTime else {
            throw KernelError("pidfd_open", identity.description, errno: .noSuchProcess)
        }
        return process
    }

    /// Sends a signal. `false` when the process has ended and was reaped.
    @discardableResult
    public func send(_ signal: Int32) throws(KernelError) -> Bool {
        do {
            try kernelCall("pidfd_send_signal", "\(pid)") { CLinux_pidfd_send_signal(raw, signal) }
            return true
        } catch  where error.errno == .noSuchProcess {
            return false
        }
    }

    /// Blocks until the process has ended, reaped or not; `false` when the time is over first. `nil` waits without
    /// limit.
    public func waitForEnd(timeout: Duration? = nil) throws(KernelError) -> Bool {
        let deadline = timeout.map { ContinuousClock.now + $0 }
        while true {
            var entry = pollfd(fd: raw, events: Int16(POLLIN), revents: 0)
            let milliseconds = deadline.map { ($0 - .now).pollMilliseconds } ?? -1
            if try kernelCall("poll", "pidfd of \(pid)", { poll(&entry, 1, milliseconds) }) > 0 { return true }
            if let deadline, ContinuousClock.now >= deadline { return false }
        }
    }

    /// Reaps the process, which must be a child of this one (ECHILD otherwise), blocking until it ends.
    public func reap() throws(KernelError) -> Exit {
        // Without WNOHANG it returns only with an exit.
        try reap(options: WEXITED) ?? .code(0)
    }

    /// Reaps the child if it has ended.
    public func reapIfEnded() throws(KernelError) -> Exit? {
        try reap(options: WEXITED | WNOHANG)
    }

    private func reap(options: Int32) throws(KernelError) -> Exit? {
        var info = siginfo_t()
        try kernelCall("waitid", "\(pid)") { CLinux_wait_pidfd(raw, &info, options) }
        guard CLinux_siginfo_pid(&info) != 0 else { return nil }
        let status = CLinux_siginfo_status(&info)
        switch CLinux_siginfo_code(&info) {
        case Int32(CLD_EXITED): return .code(status)
        case Int32(CLD_DUMPED): return .signal(status, coreDumped: true)
        default: return .signal(status, coreDumped: false)
        }
    }
}
