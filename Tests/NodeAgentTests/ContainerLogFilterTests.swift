import KubernetesAPI
import Testing

@testable import NodeAgent

struct ContainerLogFilterTests {
    private static let log = """
        2026-01-01T00:00:01.000000000Z stdout F one
        2026-01-01T00:00:02.000000000Z stderr P tw
        2026-01-01T00:00:03.000000000Z stderr F o  x
        2026-01-01T00:00:04.000000000Z stdout F \n
        """

    private static func filtered(_ change: (inout ContainerLogOptions) -> Void = { _ in }, chunk: Int = .max) -> String
    {
        var options = ContainerLogOptions()
        change(&options)
        var filter = ContainerLogFilter(options)
        var output: [UInt8] = []
        var rest = Array(log.utf8)[...]
        while !rest.isEmpty {
            output += filter.append(rest.prefix(chunk))
            rest = rest.dropFirst(chunk)
        }
        return String(decoding: output, as: UTF8.self)
    }

    @Test("partial entries join to one line, however the file was cut", arguments: [1, 2, 7, 50, .max])
    func content(chunk: Int) {
        #expect(Self.filtered(chunk: chunk) == "one\ntwo  x\n\n")
    }

    @Test("a line has one time, that of its first part", arguments: [1, .max])
    func timestamps(chunk: Int) {
        #expect(
            Self.filtered({ $0.timestamps = true }, chunk: chunk) == """
                2026-01-01T00:00:01.000000000Z one
                2026-01-01T00:00:02.000000000Z two  x
                2026-01-01T00:00:04.000000000Z \n
                """)
    }

    @Test(
        "lines before the wanted time are left out",
        arguments: [(0, "one\ntwo  x\n\n"), (1, "one\ntwo  x\n\n"), (2, "two  x\n\n"), (4, "\n"), (5, "")])
    func since(second: Int, expected: String) throws {
        let time = try #require(Timestamp(rfc3339: "2026-01-01T00:00:0\(second)Z"))
        #expect(Self.filtered { $0.since = time } == expected)
    }

    @Test(
        "output stops at the byte limit exactly",
        arguments: [(0, ""), (1, "o"), (4, "one\n"), (6, "one\ntw"), (7, "one\ntwo"), (100, "one\ntwo  x\n\n")]
            as [(Int64, String)], [1, .max])
    func limit(limit: (bytes: Int64, expected: String), chunk: Int) {
        #expect(Self.filtered({ $0.limitBytes = limit.bytes }, chunk: chunk) == limit.expected)
    }

    @Test("the filter is done when the limit is used up, not before")
    func done() {
        var options = ContainerLogOptions()
        options.limitBytes = 2
        var filter = ContainerLogFilter(options)
        #expect(filter.append(Array("t stdout F a\n".utf8)) == Array("a\n".utf8))
        #expect(filter.isDone)
        #expect(filter.append(Array("t stdout F b\n".utf8)).isEmpty)
        #expect(!ContainerLogFilter(ContainerLogOptions()).isDone)
    }

    @Test("an entry without its newline is kept for later, and a broken one left out")
    func incomplete() {
        var filter = ContainerLogFilter(ContainerLogOptions())
        #expect(filter.append(Array("t stdout F ab".utf8)).isEmpty)
        #expect(filter.append(Array("c\n\nbroken\ntwo fields\nt stdout F d\n".utf8)) == Array("abc\nd\n".utf8))
    }

    @Test("bytes that are no text pass unchanged")
    func binary() {
        var filter = ContainerLogFilter(ContainerLogOptions())
        #expect(filter.append(Array("t stdout F ".utf8) + [255, 0, 0x80, 10]) == [255, 0, 0x80, 10])
    }

    @Test(
        "the tail begins at its first line",
        arguments: [
            ("a\nb\nc\n", 0, 6), ("a\nb\nc\n", 1, 4), ("a\nb\nc\n", 2, 2), ("a\nb\nc\n", 3, 0), ("a\nb\nc\n", 9, 0),
            ("a\nb", 1, 2), ("\n\n", 1, 1), ("", 1, 0), ("a\nb\n", -1, 4), ("a\n", .max, 0),
        ] as [(String, Int64, Int)])
    func tail(text: String, lines: Int64, offset: Int) {
        #expect(ContainerLogFilter.tailOffset(Array(text.utf8), lines: lines) == offset)
    }
}
