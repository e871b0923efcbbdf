import CLinux
import MonitorCoreEmbedded

/// A command that runs in the container beside its init.
struct Execution {
    let identifier: UInt32
    /// The connection it ends with; -1 for one that goes on by itself.
    let caller: Int32
    var process: ChildProcess

    /// A kill is for all that the command started and left in its own process group, which its session began with.
    mutating func signal(_ number: Int32) {
        // Not reaped: its number is nobody else's.
        if number == SIGKILL { kill(-process.pid, number) }
        process.signal(number)
    }
}
