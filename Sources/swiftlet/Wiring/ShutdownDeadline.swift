import Glibc
import LinuxKernel
import Logging
import Synchronization

/// Ends the process when it was told to end and some part of it does not: a thread that sleeps in the kernel, for example, on a file
/// system whose server is gone. Nothing is lost: what ends a node at any point is made good by its next start.
final class ShutdownDeadline: Sendable {
    /// Of an orderly end, which takes a second or two.
    private static let patience = Duration.seconds(20)

    private let loop = Mutex<EpollLoop?>(nil)

    /// - Parameter status: of the process that is ended.
    func begin(status: Int32, logger: Logger) {
        guard let timer = try? EpollLoop(name: "shutdown") else { return }
        _ = timer.schedule(after: Self.patience) {
            logger.warning("a part of the node does not end; the process ends without it")
            _exit(status)
        }
        loop.withLock { $0 = timer }
    }
}
