/// One assignment of the notification protocol (sd_notify(3)).
public enum ServiceState: Hashable, Sendable {
    /// Start-up is over: units ordered after this one may start.
    case ready
    /// One line on what the service is doing, shown by `systemctl status`.
    case status(String)
    /// The configuration is being read again; ``ready`` ends it. The time is that of CLOCK_MONOTONIC.
    case reloading(monotonicMicroseconds: UInt64)
    /// Shutdown has begun.
    case stopping
    /// The service is alive: restarts the watchdog's timer.
    case watchdog
    /// The start or stop in progress needs this much longer than its limit.
    case extendTimeout(microseconds: UInt64)

    /// The line that goes over the socket. A status is cut to one line of printable text, so that nothing in it can
    /// pose as a further assignment.
    public var assignment: String {
        switch self {
        case .ready: "READY=1"
        case .status(let text): "STATUS=\(Self.oneLine(text))"
        case .reloading(let time): "RELOADING=1\nMONOTONIC_USEC=\(time)"
        case .stopping: "STOPPING=1"
        case .watchdog: "WATCHDOG=1"
        case .extendTimeout(let microseconds): "EXTEND_TIMEOUT_USEC=\(microseconds)"
        }
    }

    /// Longer texts are cut: `systemctl status` shows one line, and a datagram that does not fit is lost as a whole.
    static let statusLimitScalars = 500

    private static func oneLine(_ text: String) -> String {
        var line = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(statusLimitScalars) {
            line.append(scalar.properties.generalCategory == .control ? " " : scalar)
        }
        return String(line)
    }
}
