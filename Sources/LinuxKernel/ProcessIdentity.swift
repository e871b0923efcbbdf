/// A process by number and start time: numbers are reused, the pair is not before a reboot.
public struct ProcessIdentity: Hashable, Sendable, Codable, CustomStringConvertible {
    public let pid: Int32
    /// Clock ticks since boot, field 22 of `/proc/<pid>/stat` (proc_pid_stat(5)).
    public let startTime: UInt64

    public init(pid: Int32, startTime: UInt64) {
        self.pid = pid
        self.startTime = startTime
    }

    /// The process that has this number now; ESRCH when there is none.
    public static func current(of pid: Int32) throws(KernelError) -> ProcessIdentity {
        ProcessIdentity(pid: pid, startTime: try ProcFS.status(of: pid).startTime)
    }

    public var description: String { "\(pid)@\(startTime)" }
}
