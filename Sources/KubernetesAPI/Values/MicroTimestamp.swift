/// A point in time as `metav1.MicroTime` has it: encoded as RFC 3339 in UTC with six fraction digits. Leases use it.
public struct MicroTimestamp: Hashable, Sendable {
    /// The same point in time, cut to whole microseconds.
    public let time: Timestamp

    public init(_ time: Timestamp) {
        self.time = Timestamp(seconds: time.seconds, nanoseconds: time.nanoseconds / 1000 * 1000)
    }

    public init(seconds: Int64, microseconds: Int32 = 0) {
        let carried = Timestamp(seconds: seconds).advanced(by: .microseconds(Int64(microseconds)))
        self.init(carried)
    }

    /// Reads RFC 3339 with any offset and an optional fraction; nil for anything else.
    public init?(rfc3339 text: String) {
        guard let time = Timestamp(rfc3339: text) else { return nil }
        self.init(time)
    }

    /// The system's real-time clock.
    public static func now() -> MicroTimestamp {
        MicroTimestamp(Timestamp.now())
    }

    public var seconds: Int64 { time.seconds }
    public var nanoseconds: Int32 { time.nanoseconds }

    /// `2006-01-02T15:04:05.000000Z`
    public var rfc3339: String {
        RFC3339.text(seconds: time.seconds, nanoseconds: time.nanoseconds, fractionDigits: 6)
    }
}

extension MicroTimestamp: Comparable {
    public static func < (left: MicroTimestamp, right: MicroTimestamp) -> Bool {
        left.time < right.time
    }
}

extension MicroTimestamp: Codable, SchemaLeaf {
    public static var schemaType: SchemaLeafType { .microTime }

    public init(from decoder: any Decoder) throws {
        self.init(try Timestamp(from: decoder))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rfc3339)
    }
}

extension MicroTimestamp: CustomStringConvertible {
    public var description: String { rfc3339 }
}
