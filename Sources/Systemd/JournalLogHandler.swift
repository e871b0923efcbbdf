import CSystemd
import Glibc
public import Logging

/// Writes events to the systemd journal with their metadata as fields, so that `journalctl SWIFTLET_POD=default/hello`
/// finds them. To be used when ``JournalStream/isConnected`` says so.
///
/// While the journal does not answer (journald restarting), lines go to standard error, which the service manager
/// connected to the journal as a stream.
public struct JournalLogHandler: LogHandler {
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    public var logLevel: Logger.Level

    private let identifier: String
    private let fallback: LineLogHandler

    /// - Parameter identifier: `SYSLOG_IDENTIFIER`, what `journalctl -t` selects by.
    public init(identifier: String = "swiftlet", logLevel: Logger.Level = .info) {
        self.identifier = identifier
        self.logLevel = logLevel
        fallback = LineLogHandler(timestamps: .omitted, logLevel: .trace)
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        let merged = LogMetadata.merged(handler: metadata, provider: metadataProvider, event: event.metadata)
        let record = JournalRecord(event: event, metadata: merged, identifier: identifier)
        if Self.send(record) < 0 { fallback.write(event: event, metadata: merged) }
    }

    /// Zero, or a negative error number.
    static func send(_ record: JournalRecord) -> Int32 {
        // One buffer for all fields: its address stays the same for as long as the call runs.
        var buffer = Array(record.fields.joined())
        return buffer.withUnsafeMutableBytes { bytes in
            var vectors: [iovec] = []
            var offset = 0
            for field in record.fields {
                vectors.append(iovec(iov_base: bytes.baseAddress.map { $0 + offset }, iov_len: field.count))
                offset += field.count
            }
            return sd_journal_sendv(vectors, Int32(vectors.count))
        }
    }
}
