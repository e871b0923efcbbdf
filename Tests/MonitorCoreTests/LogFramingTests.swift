import Testing

@testable import MonitorCore

@Suite("Log lines")
struct LogFramingTests {
    private static let stamp = "1970-01-01T00:00:00.000000000Z"
    private static let limit = LogFraming.partialLimit

    private func frame(_ chunks: [[UInt8]], at time: Int64 = 0, finish: Bool = true) -> [UInt8] {
        var framing = LogFraming(stream: "stdout")
        var output: [UInt8] = []
        for chunk in chunks { framing.append(chunk[...], at: time, to: &output) }
        if finish { framing.finish(at: time, to: &output) }
        return output
    }

    private func entry(_ tag: String, _ content: [UInt8]) -> [UInt8] {
        Array("\(Self.stamp) stdout \(tag) ".utf8) + content + [10]
    }

    @Test(
        "text becomes entries",
        arguments: [
            (["a\n"], [("F", "a")]), (["a\nb\n"], [("F", "a"), ("F", "b")]), (["a", "b\n"], [("F", "ab")]),
            (["a", "\nb"], [("F", "a"), ("P", "b")]), (["\n\n"], [("F", ""), ("F", "")]), (["a"], [("P", "a")]),
            ([""], []), (["\r\n"], [("F", "\r")]),
        ] as [([String], [(String, String)])])
    func entries(chunks: [String], expected: [(String, String)]) {
        #expect(frame(chunks.map { Array($0.utf8) }) == expected.flatMap { entry($0.0, Array($0.1.utf8)) })
    }

    @Test("nothing is written before a line is complete, and nothing twice at the end")
    func pending() {
        #expect(frame([Array("half".utf8)], finish: false).isEmpty)
        var framing = LogFraming(stream: "stderr")
        var output: [UInt8] = []
        framing.append([0x61], at: 0, to: &output)
        framing.finish(at: 0, to: &output)
        let once = output
        framing.finish(at: 0, to: &output)
        #expect(output == once)
        #expect(String(decoding: output, as: UTF8.self) == "\(Self.stamp) stderr P a\n")
    }

    @Test("a line of exactly the limit is one full entry, even when its newline comes later")
    func exactBoundary() {
        let line = [UInt8](repeating: 0x78, count: Self.limit)
        #expect(frame([line + [10]]) == entry("F", line))
        #expect(frame([line, [10]]) == entry("F", line))
    }

    @Test("a line over the limit is cut into partial entries and a full one", arguments: [1, 100, limit, limit + 1])
    func overBoundary(excess: Int) {
        let line = [UInt8](repeating: 0x79, count: Self.limit + excess)
        var expected: [UInt8] = []
        var rest = line[...]
        while rest.count > Self.limit {
            expected += entry("P", Array(rest.prefix(Self.limit)))
            rest = rest.dropFirst(Self.limit)
        }
        expected += entry("F", Array(rest))
        #expect(frame([line + [10]]) == expected)
        #expect(frame([line, [10]]) == expected)
        #expect(frame(line.map { [$0] } + [[10]]) == expected)
    }

    @Test("bytes that are no text pass unchanged")
    func binary() {
        let line = (0...255).map { UInt8($0) }.filter { $0 != 10 }
        #expect(frame([line + [10]]) == entry("F", line))
    }

    @Test("the contents of the entries are the input, however it was cut", arguments: 0..<20 as Range<UInt64>)
    func property(seed: UInt64) {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func random(_ bound: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(bound))
        }
        var input: [UInt8] = []
        var chunks: [[UInt8]] = []
        for _ in 0..<12 {
            var chunk = (0..<random(9000)).map { _ in UInt8(random(256)) }
            // Long lines in every other round: 1 byte in 256 would be a newline otherwise.
            if seed % 2 == 0 { chunk = chunk.map { $0 == 10 ? 11 : $0 } }
            if random(4) == 0 { chunk.append(10) }
            chunks.append(chunk)
            input += chunk
        }
        let prefix = Array("\(Self.stamp) stdout F ".utf8).count
        let output = frame(chunks)
        var joined: [UInt8] = []
        for line in output.split(separator: 10, omittingEmptySubsequences: false).dropLast() {
            let content = line.dropFirst(prefix)
            #expect(content.count <= Self.limit)
            joined += content
            if line[line.startIndex + prefix - 2] == 0x46 { joined.append(10) }
        }
        #expect(joined == input)
    }

    @Test(
        "the time of an entry is UTC with nanoseconds",
        arguments: [
            (0, "1970-01-01T00:00:00.000000000Z"), (1, "1970-01-01T00:00:00.000000001Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00.000000000Z"),
            (1_709_164_800_000_000_000, "2024-02-29T00:00:00.000000000Z"),
            (1_709_251_199_999_999_999, "2024-02-29T23:59:59.999999999Z"),
            (1_709_251_200_000_000_000, "2024-03-01T00:00:00.000000000Z"),
            (1_767_225_599_000_000_000, "2025-12-31T23:59:59.000000000Z"),
            (4_107_542_399_000_000_000, "2100-02-28T23:59:59.000000000Z"),
            (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000000Z"),
            (-1, "1969-12-31T23:59:59.999999999Z"), (-86_400_000_000_000, "1969-12-31T00:00:00.000000000Z"),
            (Int64.max, "2262-04-11T23:47:16.854775807Z"),
            (-9_000_000_000_000_000_000, "1684-10-19T08:00:00.000000000Z"),
        ] as [(Int64, String)])
    func timestamps(nanoseconds: Int64, expected: String) {
        #expect(String(decoding: frame([[10]], at: nanoseconds), as: UTF8.self) == expected + " stdout F \n")
    }
}
