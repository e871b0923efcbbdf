import KubernetesAPI
import Testing

@Suite("Timestamp")
struct TimestampTests {
    @Test(
        "a time is read to the second and written in UTC",
        arguments: [
            ("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"),
            ("2024-02-29T12:34:56Z", 1_709_210_096, "2024-02-29T12:34:56Z"),
            ("2000-01-01T00:00:00+01:00", 946_681_200, "1999-12-31T23:00:00Z"),
            ("1999-12-31T23:30:00-00:30", 946_684_800, "2000-01-01T00:00:00Z"),
            ("1969-12-31T23:59:59Z", -1, "1969-12-31T23:59:59Z"),
            ("0001-01-01T00:00:00Z", -62_135_596_800, "0001-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59Z", 253_402_300_799, "9999-12-31T23:59:59Z"),
            ("2038-01-19T03:14:08Z", 2_147_483_648, "2038-01-19T03:14:08Z"),
            ("2026-07-01T10:20:30.987654321Z", 1_782_901_230, "2026-07-01T10:20:30Z"),
        ])
    func reading(text: String, seconds: Int64, written: String) throws {
        let time = try #require(Timestamp(rfc3339: text))
        #expect(time.seconds == seconds)
        #expect(time.rfc3339 == written)
    }

    @Test("every day of four centuries survives a round trip")
    func everyDay() throws {
        for day in stride(from: Int64(-146_097), through: 146_097, by: 1) {
            let time = Timestamp(seconds: day * 86_400 + 86_399)
            #expect(Timestamp(rfc3339: time.rfc3339) == time)
        }
    }

    @Test(
        "a text that is no RFC 3339 time is refused",
        arguments: [
            "", "2024-02-30T00:00:00Z", "2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z",
            "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z", "2024-01-01T00:00:60Z", "2024-01-01 00:00:00Z",
            "2024-01-01T00:00:00", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00+1:00", "2024-01-01T00:00:00+24:00",
            "2024-01-01T00:00:00Zx", "24-01-01T00:00:00Z", "+024-01-01T00:00:00Z", "2024-01-01t00:00:00z", "null",
        ])
    func refused(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test("fractions are kept to the nanosecond and cut in the object form")
    func fractions() throws {
        let time = try #require(Timestamp(rfc3339: "2024-01-01T00:00:00.1234567891Z"))
        #expect(time.nanoseconds == 123_456_789)
        #expect(time.rfc3339Nano == "2024-01-01T00:00:00.123456789Z")
        #expect(try JSONValueEncoder().encode(time) == "2024-01-01T00:00:00Z")
        #expect(MicroTimestamp(time).rfc3339 == "2024-01-01T00:00:00.123456Z")
        #expect(try JSONValueEncoder().encode(MicroTimestamp(time)) == "2024-01-01T00:00:00.123456Z")
    }

    @Test("microseconds survive a round trip")
    func microTime() throws {
        let time = MicroTimestamp(seconds: 1_700_000_000, microseconds: 42)
        #expect(time.rfc3339 == "2023-11-14T22:13:20.000042Z")
        #expect(try JSONValueDecoder().decode(MicroTimestamp.self, from: JSONValueEncoder().encode(time)) == time)
        #expect(try JSONValueDecoder().decode(MicroTimestamp.self, from: "2023-11-14T22:13:20Z").nanoseconds == 0)
    }

    @Test("null is no time")
    func null() throws {
        struct Meta: Codable, Equatable { var creationTimestamp: Timestamp? }
        #expect(try JSONValueDecoder().decode(Meta.self, from: ["creationTimestamp": nil]) == Meta())
        #expect(try JSONValueEncoder().encode(Meta()) == [:])
        #expect(throws: JSONDecodingError.self) {
            try JSONValueDecoder().decode(Meta.self, from: ["creationTimestamp": "yesterday"])
        }
    }

    @Test("arithmetic at the ends of the range does not trap")
    func extremes() {
        let first = Timestamp(seconds: .min, nanoseconds: .min)
        let last = Timestamp(seconds: .max, nanoseconds: .max)
        #expect(first < last)
        #expect(first.rfc3339 == "0000-01-01T00:00:00Z")
        #expect(last.rfc3339Nano.hasPrefix("9999-12-31T23:59:59."))
        #expect(last.since(first) > .zero)
        #expect(last.advanced(by: .seconds(10)).seconds == .max)
        #expect(first.advanced(by: .seconds(-10)).seconds == .min)
    }

    @Test("moving by a duration and back gives the same time")
    func moving() {
        let time = Timestamp(seconds: 1000, nanoseconds: 100)
        #expect(time.advanced(by: .milliseconds(-500)) == Timestamp(seconds: 999, nanoseconds: 500_000_100))
        #expect(time.advanced(by: .milliseconds(-500)).advanced(by: .milliseconds(500)) == time)
        #expect(time.advanced(by: .seconds(3)).since(time) == .seconds(3))
        #expect(Timestamp(seconds: 1, nanoseconds: -1) == Timestamp(seconds: 0, nanoseconds: 999_999_999))
    }

    @Test("the clock is past the year this was written in")
    func clock() {
        #expect(Timestamp.now() > Timestamp(seconds: 1_735_689_600))
    }
}
