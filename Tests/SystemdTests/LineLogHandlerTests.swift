import Glibc
import Logging
import Testing

@testable import Systemd

@Suite struct LineLogHandlerTests {
    /// What a handler writes for one event, read back through a pipe.
    private static func written(
        timestamps: LineLogHandler.Timestamps? = .omitted, _ body: (Logger) -> Void
    ) throws -> String {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { close(ends[0]) }
        let handler = LineLogHandler(descriptor: ends[1], timestamps: timestamps, logLevel: .info) {
            timespec(tv_sec: 1_795_259_137, tv_nsec: 45_000_000)
        }
        body(Logger(label: "test") { _ in handler })
        close(ends[1])
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = read(ends[0], &buffer, buffer.count)
        return String(decoding: buffer[..<max(0, count)], as: UTF8.self)
    }

    @Test("an event is the message and its values in one line, sorted by key")
    func line() throws {
        let text = try Self.written { logger in
            var logger = logger
            logger[metadataKey: "pod"] = "default/hello"
            logger.info("container started", metadata: ["container": "web"])
        }
        #expect(text == "container started container=web pod=default/hello\n")
    }

    @Test("only what is out of the ordinary has its level named")
    func levels() throws {
        let text = try Self.written { logger in
            logger.debug("hidden")
            logger.notice("node ready")
            logger.warning("image not found")
            logger.error("disk full")
        }
        #expect(text == "node ready\nwarning: image not found\nerror: disk full\n")
    }

    @Test("an event's value wins over the logger's")
    func precedence() throws {
        let text = try Self.written { logger in
            var logger = logger
            logger[metadataKey: "attempt"] = "1"
            logger.info("x", metadata: ["attempt": "2"])
        }
        #expect(text == "x attempt=2\n")
    }

    @Test("values cannot start a line, move the cursor or blur into other pairs")
    func hostileValues() throws {
        let text = try Self.written {
            $0.info(
                "x",
                metadata: ["a": "1\n2", "b": "\u{1b}[31m", "c": "two words", "d": "", "e": "k=\"v\"", "f": "\u{202e}"])
        }
        #expect(text == #"x a=1\u{a}2 b=\u{1b}[31m c="two words" d="" e="k=\"v\"" f=\u{202e}"# + "\n")
    }

    @Test("a very long value is cut")
    func longValue() throws {
        let text = try Self.written { $0.info("x", metadata: ["a": .string(String(repeating: "y", count: 100_000))]) }
        #expect(text == "x a=" + String(repeating: "y", count: LogText.valueLimitScalars) + "…\n")
    }

    @Test("a file gets the whole date in UTC, with milliseconds")
    func timestampInFile() throws {
        let text = try Self.written(timestamps: nil) { $0.info("x") }
        #expect(text == "2026-11-21T11:05:37.045Z x\n")
    }

    @Test("a terminal gets the time of day")
    func timestampOnTerminal() throws {
        let text = try Self.written(timestamps: .timeOfDay) { $0.info("x") }
        var seconds: time_t = 1_795_259_137
        var local = tm()
        localtime_r(&seconds, &local)
        #expect(text == "\(local.tm_hour < 10 ? "0" : "")\(local.tm_hour):05:37 x\n")
    }

    @Test("a reader that is gone loses the line and nothing else")
    func closedDescriptor() {
        Logger(label: "test") { _ in LineLogHandler(descriptor: -1, timestamps: .omitted) }.info("x")
    }
}
