import Testing

@testable import MonitorCore

@Suite("Exit records")
struct ExitRecordTests {
    @Test(
        "a record comes back as it was",
        arguments: [
            Samples.record, ExitRecord(released: false), ExitRecord(released: true, exitCode: 255, startedAt: .min),
            ExitRecord(released: false, failure: LaunchFailure(step: LaunchFailure.noStep, errno: -1)),
        ])
    func roundTrip(record: ExitRecord) throws {
        #expect(try ExitRecord(decoding: record.encoded()) == record)
    }

    @Test("a record cut short at any byte is an error")
    func truncation() {
        let bytes = Samples.record.encoded()
        for length in bytes.indices {
            #expect(throws: WireError(.truncated, offset: length), "\(length)") {
                try ExitRecord(decoding: Array(bytes[..<length]))
            }
        }
    }

    @Test("another version, and bytes too many, are refused")
    func attacks() {
        var bytes = Samples.record.encoded()
        #expect(throws: WireError(.trailingBytes, offset: bytes.count)) { try ExitRecord(decoding: bytes + [1]) }
        bytes[0] = 2
        #expect(throws: WireError(.badVersion, offset: 0)) { try ExitRecord(decoding: bytes) }
    }

    @Test(
        "a death by signal is reported as 128 and the signal",
        arguments: [(0, 0, 0), (3, 0, 3), (0, 9, 137), (0, 15, 143)])
    func reportedExitCode(exitCode: Int32, signal: Int32, expected: Int32) {
        #expect(ExitRecord(released: true, exitCode: exitCode, signal: signal).reportedExitCode == expected)
    }
}
