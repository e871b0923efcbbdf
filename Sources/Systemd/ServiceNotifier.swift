import CSystemd
import Glibc
public import Logging

/// Tells the service manager how this process fares, through libsystemd. Without a service manager (no `NOTIFY_SOCKET`
/// in the environment) every call does nothing.
///
/// A notification is one datagram on a local socket. One that cannot be sent is logged, not thrown: nobody up the call
/// chain could do better, and the manager's own time limits are the safety net.
public struct ServiceNotifier: Sendable {
    let logger: Logger

    public init(logger: Logger) {
        self.logger = logger
    }

    /// Whether a service manager listens (`Type=notify`).
    public var isManaged: Bool {
        getenv("NOTIFY_SOCKET") != nil
    }

    /// Start-up is over. With `status`, says in the same datagram what is running.
    public func ready(status: String? = nil) {
        notify([.ready] + Self.statusStates(status))
    }

    /// What the service is doing now, in one line for people.
    public func status(_ text: String) {
        notify([.status(text)])
    }

    /// The configuration is being read again; call ``ready(status:)`` when that is over.
    public func reloading() {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let microseconds = UInt64(clamping: time.tv_sec) &* 1_000_000 &+ UInt64(clamping: time.tv_nsec) / 1000
        notify([.reloading(monotonicMicroseconds: microseconds)])
    }

    /// Shutdown has begun.
    public func stopping(status: String? = nil) {
        notify([.stopping] + Self.statusStates(status))
    }

    /// The process is alive and doing its work. ``runWatchdog(interval:clock:healthy:)`` calls this in time.
    public func watchdog() {
        notify([.watchdog])
    }

    /// Sends several states in one datagram, so that the manager sees them together.
    public func notify(_ states: [ServiceState]) {
        let text = states.map(\.assignment).joined(separator: "\n")
        let result = sd_notify(0, text)
        guard result < 0 else { return }
        logger.warning(
            "the service manager could not be notified",
            metadata: ["reason": "\(String(cString: strerror(-result)))", "states": "\(text)"])
    }

    private static func statusStates(_ status: String?) -> [ServiceState] {
        status.map { [.status($0)] } ?? []
    }
}
