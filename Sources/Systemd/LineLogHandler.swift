public import Glibc
public import Logging

/// One readable line per event on a descriptor, for a terminal or a log file.
///
///     11:05:37 container started container=web pod=default/hello
///     11:05:39 warning: image not found image=example.org/x pod=default/y
public struct LineLogHandler: LogHandler {
    /// What a line starts with.
    public enum Timestamps: Sendable {
        /// Nothing: the reader (the journal) keeps time itself.
        case omitted
        /// `11:05:37`, local time: for someone who looks on.
        case timeOfDay
        /// `2026-11-21T11:05:37.123Z`: for a file that is read later.
        case rfc3339
    }

    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    public var logLevel: Logger.Level

    private let descriptor: Int32
    private let timestamps: Timestamps
    private let now: @Sendable () -> timespec

    /// - Parameters:
    ///   - descriptor: Where the lines go; it must stay open as long as the handler is used.
    ///   - timestamps: `nil` takes the time of day on a terminal, and the full date and time elsewhere.
    ///   - now: The wall clock.
    public init(
        descriptor: Int32 = STDERR_FILENO,
        timestamps: Timestamps? = nil,
        logLevel: Logger.Level = .info,
        now: @escaping @Sendable () -> timespec = LineLogHandler.wallClock
    ) {
        self.descriptor = descriptor
        self.timestamps = timestamps ?? (isatty(descriptor) == 1 ? .timeOfDay : .rfc3339)
        self.logLevel = logLevel
        self.now = now
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        write(
            event: event,
            metadata: LogMetadata.merged(handler: metadata, provider: metadataProvider, event: event.metadata))
    }

    /// Writes the line in one call, so that lines of several threads do not mix. A reader that is gone or a full disk
    /// loses the line: there is nowhere else to say so.
    func write(event: LogEvent, metadata: Logger.Metadata) {
        let line =
            "\(stamp())\(Self.prefix(event.level))"
            + LogText.line(message: "\(event.message)", metadata: metadata, error: event.error) + "\n"
        var rest = Array(line.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                return
            }
        }
    }

    /// The level is worth a word only when it is not the usual one.
    private static func prefix(_ level: Logger.Level) -> String {
        switch level {
        case .trace: "trace: "
        case .debug: "debug: "
        case .info, .notice: ""
        case .warning: "warning: "
        case .error: "error: "
        case .critical: "critical: "
        }
    }

    private func stamp() -> String {
        let time = now()
        var seconds = time.tv_sec
        var fields = tm()
        switch timestamps {
        case .omitted:
            return ""
        case .timeOfDay:
            localtime_r(&seconds, &fields)
            return Self.clockTime(fields) + " "
        case .rfc3339:
            gmtime_r(&seconds, &fields)
            let date = "\(fields.tm_year + 1900)-\(Self.padded(fields.tm_mon + 1))-\(Self.padded(fields.tm_mday))"
            let milliseconds = Self.padded(Int32(clamping: time.tv_nsec / 1_000_000), digits: 3)
            return "\(date)T\(Self.clockTime(fields)).\(milliseconds)Z "
        }
    }

    private static func clockTime(_ fields: tm) -> String {
        "\(padded(fields.tm_hour)):\(padded(fields.tm_min)):\(padded(fields.tm_sec))"
    }

    private static func padded(_ value: Int32, digits: Int = 2) -> String {
        let text = "\(value)"
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    /// CLOCK_REALTIME.
    @Sendable public static func wallClock() -> timespec {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return time
    }
}
