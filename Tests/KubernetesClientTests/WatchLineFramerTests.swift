import NIOCore
import Testing

@testable import KubernetesClient

@Suite("Watch line framer")
struct WatchLineFramerTests {
    private func lines(_ text: String, chunk: Int, limit: Int = 100) throws -> [String] {
        var framer = WatchLineFramer(limit: limit)
        var lines: [String] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: chunk) {
            framer.append(ByteBuffer(bytes: bytes[start..<min(start + chunk, bytes.count)]))
            while let line = try framer.nextLine() { lines.append(String(decoding: line, as: UTF8.self)) }
        }
        return lines
    }

    @Test("lines come out whole however the chunks fall", arguments: 1...12)
    func chunks(size: Int) throws {
        #expect(try lines("one\n\n\r\ntwo\r\nthree\nrest", chunk: size) == ["one", "two\r", "three"])
    }

    @Test("a line of the limit passes, one byte more does not, with or without its newline", arguments: [1, 7, 1_000])
    func limit(chunk: Int) throws {
        #expect(try lines(String(repeating: "x", count: 100) + "\n", chunk: chunk).count == 1)
        #expect(throws: WatchLineFramer.LineTooLong(limit: 100)) {
            try lines(String(repeating: "x", count: 101) + "\n", chunk: chunk)
        }
        #expect(throws: WatchLineFramer.LineTooLong(limit: 100)) {
            try lines(String(repeating: "x", count: 101), chunk: chunk)
        }
    }

    @Test("an unfinished line is counted as pending")
    func pending() throws {
        var framer = WatchLineFramer(limit: 100)
        framer.append(ByteBuffer(string: "a\nbc"))
        _ = try framer.nextLine()
        #expect(try framer.nextLine() == nil)
        #expect(framer.pendingBytes == 2)
    }
}
