internal import CLinux

/// A point in time as `metav1.Time` has it: encoded as RFC 3339 in UTC with whole seconds, null when there is none
/// (an optional `Timestamp`).
public struct Timestamp: Hashable, Sendable {
    /// Seconds since 1970-01-01T00:00:00Z.
    public private(set) var seconds: Int64
    /// 0 to 999,999,999, counted forward from `seconds`. Encoding drops them.
    public private(set) var nanoseconds: Int32

    /// - Parameter nanoseconds: any amount of either sign; whole seconds are carried over.
    public init(seconds: Int64, nanoseconds: Int32 = 0) {
        var carry = Int64(nanoseconds / 1_000_000_000)
        var rest = nanoseconds % 1_000_000_000
        if rest < 0 {
            rest += 1_000_000_000
            carry -= 1
        }
        let (sum, overflow) = seconds.addingReportingOverflow(carry)
        self.seconds = overflow ? (carry < 0 ? .min : .max) : sum
        self.nanoseconds = rest
    }

    /// Reads RFC 3339 with any offset and an optional fraction; nil for anything else.
    public init?(rfc3339 text: String) {
        guard let (seconds, nanoseconds) = RFC3339.parse(text) else { return nil }
        self.init(seconds: seconds, nanoseconds: nanoseconds)
    }

    /// The system's real-time clock.
    public static func now() -> Timestamp {
        var (seconds, nanoseconds) = (Int64(0), Int32(0))
        CLinux_wall_clock(&seconds, &nanoseconds)
        return Timestamp(seconds: seconds, nanoseconds: nanoseconds)
    }

    /// `2006-01-02T15:04:05Z`: what goes into API objects. Years outside 0 to 9999 are clamped.
    public var rfc3339: String {
        RFC3339.text(seconds: seconds, nanoseconds: 0, fractionDigits: 0)
    }

    /// With all nine fraction digits: `2006-01-02T15:04:05.000000123Z`, as container log lines have it.
    public var rfc3339Nano: String {
        RFC3339.text(seconds: seconds, nanoseconds: nanoseconds, fractionDigits: 9)
    }

    /// The same time without the fraction, as it reads back after encoding.
    public var wholeSeconds: Timestamp {
        Timestamp(seconds: seconds)
    }
}

extension Timestamp: Comparable {
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }
}

extension Timestamp {
    /// The time from `other` to this one; negative when this one is earlier.
    public func since(_ other: Timestamp) -> Duration {
        let (difference, overflow) = seconds.subtractingReportingOverflow(other.seconds)
        let whole = overflow ? (seconds < 0 ? Int64.min : Int64.max) : difference
        return .seconds(whole) + .nanoseconds(Int64(nanoseconds) - Int64(other.nanoseconds))
    }

    /// This time moved by a duration; capped at the ends of `Int64` seconds.
    public func advanced(by duration: Duration) -> Timestamp {
        let (whole, attoseconds) = duration.components
        let (sum, overflow) = seconds.addingReportingOverflow(whole)
        if overflow { return Timestamp(seconds: whole < 0 ? .min : .max) }
        let moved = Int64(nanoseconds) + attoseconds / 1_000_000_000
        let carry = moved >= 1_000_000_000 ? Int64(1) : moved < 0 ? -1 : 0
        let (carried, carryOverflow) = sum.addingReportingOverflow(carry)
        if carryOverflow { return Timestamp(seconds: sum) }
        return Timestamp(seconds: carried, nanoseconds: Int32(truncatingIfNeeded: moved - carry * 1_000_000_000))
    }
}

extension Timestamp: Codable, SchemaLeaf {
    public static var schemaType: SchemaLeafType { .dateTime }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let time = Timestamp(rfc3339: text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\(JSONValue.string(text)) is no RFC 3339 time (2006-01-02T15:04:05Z)")
        }
        self = time
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rfc3339)
    }
}

extension Timestamp: CustomStringConvertible {
    public var description: String { rfc3339 }
}
