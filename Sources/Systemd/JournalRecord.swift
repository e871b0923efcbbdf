import Logging

/// The fields of one journal entry (systemd.journal-fields(7)), as `NAME=value` bytes for sd_journal_sendv(3).
struct JournalRecord {
    /// The journal's own limit on a field's name.
    static let nameLimitBytes = 64
    /// Beyond this a value is cut; the entry stays one datagram that the socket's default buffer takes.
    static let valueLimitBytes = 16 << 10
    /// An event with more values than this keeps the first ones by name.
    static let fieldLimit = 64

    let fields: [[UInt8]]

    init(event: LogEvent, metadata: Logger.Metadata, identifier: String) {
        let line = LogText.line(message: "\(event.message)", metadata: metadata, error: event.error)
        var fields = [
            Self.field("MESSAGE", line),
            Self.field("PRIORITY", "\(Self.priority(event.level))"),
            Self.field("SYSLOG_IDENTIFIER", identifier),
            Self.field("CODE_FILE", event.file),
            Self.field("CODE_LINE", "\(event.line)"),
            Self.field("CODE_FUNC", event.function),
            Self.field("SWIFTLET_SOURCE", event.source),
        ]
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }).prefix(Self.fieldLimit) {
            guard let name = Self.name(metadataKey: key) else { continue }
            fields.append(Self.field(name, "\(value)"))
        }
        if let error = event.error { fields.append(Self.field("SWIFTLET_ERROR", "\(error)")) }
        self.fields = fields
    }

    /// `pod` is `SWIFTLET_POD` and `restartCount` is `SWIFTLET_RESTART_COUNT`. Only A–Z, 0–9 and `_` may be in a name:
    /// anything else becomes `_`. `nil` for a key without a single letter or digit.
    static func name(metadataKey key: String) -> String? {
        var name = "SWIFTLET_"
        var previousIsLower = false
        var hasContent = false
        for byte in key.utf8.prefix(nameLimitBytes) {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"):
                name.unicodeScalars.append(Unicode.Scalar(byte - 32))
                (previousIsLower, hasContent) = (true, true)
            case UInt8(ascii: "A")...UInt8(ascii: "Z"):
                if previousIsLower { name += "_" }
                name.unicodeScalars.append(Unicode.Scalar(byte))
                (previousIsLower, hasContent) = (false, true)
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                name.unicodeScalars.append(Unicode.Scalar(byte))
                (previousIsLower, hasContent) = (true, true)
            default:
                name += "_"
                previousIsLower = false
            }
        }
        return hasContent ? String(name.prefix(nameLimitBytes)) : nil
    }

    /// The syslog severity, 0 (emergency) to 7 (debug). The agent is never an emergency or an alert: the machine still
    /// runs.
    static func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }

    private static func field(_ name: String, _ value: String) -> [UInt8] {
        var bytes = Array(name.utf8)
        bytes.append(UInt8(ascii: "="))
        bytes.append(contentsOf: value.utf8.prefix(valueLimitBytes))
        return bytes
    }
}
