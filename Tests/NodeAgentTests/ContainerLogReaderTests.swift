import Glibc
import LinuxKernel
import Synchronization
import Testing

@testable import NodeAgent

@Suite("A container's log over its files")
struct ContainerLogReaderTests {
    /// A log directory, written as a monitor does it.
    private final class Log: Sendable {
        let directory: String
        var path: String { directory + "/0.log" }

        init() throws {
            var template = Array("/tmp/swiftlet-log-XXXXXX".utf8CString)
            let made = template.withUnsafeMutableBufferPointer { buffer in
                buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
            }
            directory = try #require(made)
        }

        deinit { try? FileSystem.removeTree(directory) }

        func write(_ lines: ClosedRange<Int>) throws {
            let file = try OwnedDescriptor.open(path, O_WRONLY | O_APPEND | O_CREAT, mode: 0o600)
            let text = lines.map { "2026-01-02T15:04:05.000000000Z stdout F line-\($0)\n" }.joined()
            try file.writeAll(Array(text.utf8))
        }

        /// What is written next goes to a new file.
        func rotate(_ second: Int) throws {
            try kernelCall("rename") { rename(path, place(second)) }
            let file = try OwnedDescriptor.open(path, O_WRONLY | O_CREAT, mode: 0o600)
            withExtendedLifetime(file.raw) {}
        }

        func place(_ second: Int) -> String { path + ".20260102-15040\(second)" }
    }

    private static func read(_ log: Log, _ change: (inout ContainerLogOptions) -> Void = { _ in }) async throws -> [Int]
    {
        var options = ContainerLogOptions()
        change(&options)
        return try await rest(of: ContainerLogReader(path: log.path, options: options) { true })
    }

    private static func rest(of reader: ContainerLogReader) async throws -> [Int] {
        var text = ""
        while let bytes = try await reader.next() { text += String(decoding: bytes, as: UTF8.self) }
        return text.split(separator: "\n").compactMap { Int($0.dropFirst("line-".count)) }
    }

    /// Lines 1…9 in three files, the oldest compressed.
    private static func threeFiles() throws -> Log {
        let log = try Log()
        try log.write(1...3)
        try log.rotate(1)
        try log.write(4...6)
        try log.rotate(2)
        try log.write(7...9)
        try LogCompression.compress(log.place(1))
        #expect(try FileSystem.list(log.directory) == ["0.log", "0.log.20260102-150401.gz", "0.log.20260102-150402"])
        return log
    }

    @Test("all files are one log, compressed or not")
    func whole() async throws {
        let log = try Self.threeFiles()
        #expect(try await Self.read(log) == Array(1...9))
        #expect(try await Self.read(log) { $0.follow = true } == Array(1...9))
    }

    @Test("a tail goes back over as many files as it takes", arguments: 0...10)
    func tail(lines: Int) async throws {
        let log = try Self.threeFiles()
        #expect(try await Self.read(log) { $0.tailLines = Int64(lines) } == Array((1...9).suffix(lines)))
    }

    @Test("rotated and compressed under a reader, no line is lost and none repeated")
    func underReader() async throws {
        let log = try Log()
        try log.write(1...2)
        let reader = try ContainerLogReader(path: log.path, options: ContainerLogOptions()) { true }
        let first = try #require(await reader.next())
        #expect(String(decoding: first, as: UTF8.self) == "line-1\nline-2\n")
        // Written after the reader's last look, before the rotation.
        try log.write(3...4)
        try log.rotate(1)
        try log.write(5...6)
        try log.rotate(2)
        try log.write(7...8)
        try log.rotate(3)
        try log.write(9...9)
        try LogCompression.compress(log.place(1))
        try LogCompression.compress(log.place(2))
        #expect(try await Self.rest(of: reader) == Array(3...9))
    }

    @Test("what was given up before it was read is skipped, and the oldest file that is left comes next")
    func givenUp() async throws {
        let log = try Log()
        try log.write(1...2)
        let reader = try ContainerLogReader(path: log.path, options: ContainerLogOptions()) { true }
        _ = try await reader.next()
        try log.rotate(1)
        try log.write(3...4)
        try log.rotate(2)
        try log.write(5...6)
        unlink(log.place(1))
        #expect(try await Self.rest(of: reader) == Array(3...6))
    }

    @Test("a follower goes on in the new file, and ends when the container has")
    func follow() async throws {
        let log = try Log()
        try log.write(1...2)
        var options = ContainerLogOptions()
        options.follow = true
        let ended = Mutex(false)
        let reader = try ContainerLogReader(path: log.path, options: options) { ended.withLock { $0 } }
        async let all = Self.rest(of: reader)
        // Held open as a monitor does: closed with what was rotated, or at the container's end.
        var writer = try OwnedDescriptor.open(log.path, O_WRONLY | O_APPEND)
        for number in 3...50 {
            try writer.writeAll(Array("2026-01-02T15:04:05.000000000Z stdout F line-\(number)\n".utf8))
            if number % 10 == 0 {
                try kernelCall("rename") { rename(log.path, log.place(number / 10)) }
                writer = try OwnedDescriptor.open(log.path, O_WRONLY | O_APPEND | O_CREAT, mode: 0o600)
            }
            await Task.yield()
        }
        ended.withLock { $0 = true }
        _ = consume writer
        #expect(try await all == Array(1...50))
    }

    @Test("a follower of a log that is rotated as fast as it can be misses nothing")
    func hastyRotation() async throws {
        let log = try Log()
        let count = 400
        try log.write(1...1)
        var options = ContainerLogOptions()
        options.follow = true
        let ended = Mutex(false)
        let reader = try ContainerLogReader(path: log.path, options: options) { ended.withLock { $0 } }
        async let all = Self.rest(of: reader)
        var writer = try OwnedDescriptor.open(log.path, O_WRONLY | O_APPEND)
        for number in 2...count {
            let suffix = String(String(1_000_000 + number).dropFirst())
            try kernelCall("rename") { rename(log.path, "\(log.path).20260102-150405.\(suffix)") }
            writer = try OwnedDescriptor.open(log.path, O_WRONLY | O_APPEND | O_CREAT, mode: 0o600)
            try writer.writeAll(Array("2026-01-02T15:04:05.000000000Z stdout F line-\(number)\n".utf8))
        }
        ended.withLock { $0 = true }
        _ = consume writer
        #expect(try await all == Array(1...count))
    }

    @Test("files that ended in the same tick of the clock are told apart, compressed or not")
    func sameTick() async throws {
        let log = try Log()
        for second in 1...4 {
            try log.write((second * 2 - 1)...(second * 2))
            try log.rotate(second)
            let times = [timespec(tv_sec: 7, tv_nsec: 0), timespec(tv_sec: 7, tv_nsec: 0)]
            try kernelCall("utimensat") { utimensat(AT_FDCWD, log.place(second), times, 0) }
        }
        for second in 1...3 { try LogCompression.compress(log.place(second)) }
        #expect(try await Self.read(log) == Array(1...8))
    }

    @Test("the content and times survive compression; a source that is gone leaves nothing")
    func compression() throws {
        let log = try Log()
        try log.write(1...1000)
        try log.rotate(1)
        let before = try #require(LogInput.Identity(path: log.place(1)))
        let content = try FileSystem.read(log.place(1))
        try LogCompression.compress(log.place(1))
        let after = try #require(LogInput.Identity(path: log.place(1) + ".gz"))
        #expect(after.hasTime(of: before))
        #expect(!FileSystem.exists(log.place(1)))
        let input = try LogInput(log.place(1) + ".gz", isCompressed: true)
        #expect(try input.read(at: 0, count: content.count + 1) == content)
        try LogCompression.compress(log.place(7))
        #expect(try FileSystem.list(log.directory) == ["0.log", "0.log.20260102-150401.gz"])
    }
}
