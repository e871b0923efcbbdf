import Logging
import Testing

@testable import Systemd

@Suite struct JournalRecordTests {
    private static func fields(
        _ message: Logger.Message, level: Logger.Level = .info, metadata: Logger.Metadata = [:],
        error: (any Error)? = nil
    ) -> [String] {
        let event = LogEvent(
            level: level, message: message, error: error, metadata: nil, source: "NodeAgent",
            file: "NodeAgent/PodWorker.swift",
            function: "sync()", line: 7)
        return JournalRecord(event: event, metadata: metadata, identifier: "swiftlet").fields
            .map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("an event has the well-known fields and one per metadata key")
    func known() {
        let fields = Self.fields(
            "container started", level: .warning, metadata: ["pod": "default/hello", "restartCount": "2"])
        #expect(
            fields == [
                "MESSAGE=container started pod=default/hello restartCount=2", "PRIORITY=4",
                "SYSLOG_IDENTIFIER=swiftlet",
                "CODE_FILE=NodeAgent/PodWorker.swift", "CODE_LINE=7", "CODE_FUNC=sync()", "SWIFTLET_SOURCE=NodeAgent",
                "SWIFTLET_POD=default/hello", "SWIFTLET_RESTART_COUNT=2",
            ])
    }

    @Test(
        "a metadata key becomes a name that the journal accepts",
        arguments: [
            ("pod", "SWIFTLET_POD"), ("restartCount", "SWIFTLET_RESTART_COUNT"), ("podUID", "SWIFTLET_POD_UID"),
            ("http.status-code", "SWIFTLET_HTTP_STATUS_CODE"), ("2xx", "SWIFTLET_2XX"),
            ("a=b\nMESSAGE", "SWIFTLET_A_B_MESSAGE"),
            ("ä", nil), ("", nil), ("--", nil),
        ])
    func names(key: String, expected: String?) {
        #expect(JournalRecord.name(metadataKey: key) == expected)
    }

    @Test("a name never exceeds the journal's limit")
    func longName() throws {
        let name = try #require(JournalRecord.name(metadataKey: String(repeating: "aB", count: 500)))
        #expect(name.utf8.count == JournalRecord.nameLimitBytes)
    }

    @Test("levels map to syslog severities", arguments: zip(Logger.Level.allCases, [7, 7, 6, 5, 4, 3, 2]))
    func priorities(level: Logger.Level, severity: Int) {
        #expect(JournalRecord.priority(level) == severity)
    }

    @Test("a line break in a value stays inside its field and is escaped in the message")
    func lineBreaks() {
        let fields = Self.fields("exec failed", metadata: ["reason": "a\nPRIORITY=0"])
        #expect(fields[0] == #"MESSAGE=exec failed reason="a\u{a}PRIORITY=0""#)
        #expect(fields.last == "SWIFTLET_REASON=a\nPRIORITY=0")
    }

    @Test("values and their number are bounded")
    func bounds() {
        let huge = Self.fields("x", metadata: ["k": .string(String(repeating: "v", count: 1 << 20))])
        #expect(huge.last?.utf8.count == "SWIFTLET_K=".utf8.count + JournalRecord.valueLimitBytes)
        let many = Dictionary(uniqueKeysWithValues: (0..<1000).map { ("k\($0)", Logger.MetadataValue.string("v")) })
        #expect(Self.fields("x", metadata: many).count == 7 + JournalRecord.fieldLimit)
    }

    @Test("an error has a field of its own and ends the message")
    func error() {
        struct Broken: Error, CustomStringConvertible { let description = "disk full" }
        let fields = Self.fields("write failed", level: .error, error: Broken())
        #expect(fields.first == "MESSAGE=write failed: disk full")
        #expect(fields.last == "SWIFTLET_ERROR=disk full")
    }
}
