import Testing

@testable import MonitorCore

@Suite("Rotation of a log")
struct LogRotationTests {
    private static let second: Int64 = 1_000_000_000
    /// 2026-01-02T15:04:05Z
    private static let time = 1_767_366_245 * second

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private static func rotation(bytes: UInt64 = 100, files: UInt32 = 5) -> LogRotation {
        LogRotation(LogLimit(maximumBytes: bytes, maximumFiles: files))
    }

    @Test("what fits goes in as a whole, up to the last byte of the limit")
    func fitting() {
        let entries = Array("0123456\nabc\n".utf8)
        #expect(Self.rotation().fitting(entries[...], size: 0) == 12)
        #expect(Self.rotation().fitting(entries[...], size: 88) == 12)
        #expect(Self.rotation().fitting(entries[...], size: 89) == 8)
        #expect(Self.rotation().fitting(entries[...], size: 92) == 8)
        #expect(Self.rotation().fitting(entries[...], size: 93) == 0)
        #expect(Self.rotation().fitting(entries[...], size: 5000) == 0)
    }

    @Test("an entry larger than the limit has a file of its own: none is cut")
    func largeEntry() {
        let entries = Array("0123456789\nabc\n".utf8)
        #expect(Self.rotation(bytes: 5).fitting(entries[...], size: 0) == 11)
        #expect(Self.rotation(bytes: 5).fitting(entries[...], size: 1) == 0)
        // Of the rest of a slice, too.
        #expect(Self.rotation(bytes: 5).fitting(entries[11...], size: 0) == 4)
    }

    @Test("old files are named by the time of their end, and sort as they ended")
    func names() {
        var rotation = Self.rotation()
        let suffixes = [0, 0, 0, 1, 61].map { rotation.nextSuffix(at: Self.time + $0 * Self.second) }.map(Self.text)
        #expect(
            suffixes == [
                ".20260102-150405", ".20260102-150405.000001", ".20260102-150405.000002", ".20260102-150406",
                ".20260102-150506",
            ])
        #expect(suffixes == suffixes.sorted())
    }

    @Test("a clock that steps back makes no name that sorts before an older one")
    func clockStepsBack() {
        var rotation = Self.rotation()
        let first = Self.text(rotation.nextSuffix(at: Self.time))
        let second = Self.text(rotation.nextSuffix(at: Self.time - 3600 * Self.second))
        #expect(second == ".20260102-150405.000001")
        #expect(first < second)
    }

    @Test("with the new file there are never more than the limit", arguments: [(5, 4), (2, 1), (0, 1)])
    func files(limit: UInt32, kept: Int) {
        var rotation = Self.rotation(files: limit)
        var there: [[UInt8]] = []
        for number in 0..<10 {
            for removed in rotation.makeRoom() {
                #expect(there.first == removed)
                there.removeFirst()
            }
            let suffix = rotation.nextSuffix(at: Self.time + Int64(number) * Self.second)
            rotation.didRotate(suffix)
            there.append(suffix)
            // Beside these there is the one being written.
            #expect(there.count == min(number + 1, kept))
        }
    }

    @Test("a plan with a limit says so on the wire, one without is as it ever was")
    func wire() throws {
        var plan = Samples.plan
        let before = plan.encoded()
        #expect(before[0] == LaunchPlan.wireVersion)
        plan.logLimit = LogLimit(maximumBytes: 10 << 20, maximumFiles: 5)
        plan.joinsPIDNamespace = true
        let bytes = plan.encoded()
        #expect(bytes[0] == LaunchPlan.limitingWireVersion)
        #expect(try LaunchPlan(decoding: bytes) == plan)
        #expect(try LaunchPlan(decoding: before).logLimit == nil)
    }
}
