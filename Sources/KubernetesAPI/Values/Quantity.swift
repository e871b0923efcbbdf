/// An amount of a resource: `500m`, `1.5Gi`, `1e3`.
///
/// The value is exact to one billionth; anything finer is rounded away from zero, and amounts above 2^63-1 are capped
/// there, as Kubernetes documents for `resource.Quantity`. Two quantities are equal when their amounts are, however
/// they were written; `description` is Kubernetes' canonical form.
public struct Quantity: Sendable {
    /// Which family of suffixes the canonical form uses.
    public enum Format: Hashable, Sendable {
        /// `1e3`
        case decimalExponent
        /// `Ki`, `Mi`, `Gi` …
        case binarySI
        /// `m`, `k`, `M` …
        case decimalSI
    }

    /// The amount in billionths.
    private(set) var nanos: Int128
    public private(set) var format: Format

    init(nanos: Int128, format: Format) {
        self.nanos = nanos
        self.format = format
    }

    public static let zero = Quantity(nanos: 0, format: .decimalSI)

    static let nanosPerUnit: Int128 = 1_000_000_000

    /// An amount shown with binary suffixes, as memory and storage are.
    public static func bytes(_ bytes: Int64) -> Quantity {
        Quantity(nanos: Int128(bytes) * nanosPerUnit, format: .binarySI)
    }

    /// Whole CPU cores.
    public static func cores(_ cores: Int64) -> Quantity {
        count(cores)
    }

    /// Thousandths, as CPU shares are given.
    public static func milli(_ milli: Int64) -> Quantity {
        Quantity(nanos: Int128(milli) * 1_000_000, format: .decimalSI)
    }

    /// A plain number of things.
    public static func count(_ count: Int64) -> Quantity {
        Quantity(nanos: Int128(count) * nanosPerUnit, format: .decimalSI)
    }

    /// The amount in whole units, rounded away from zero, capped at the ends of `Int64`.
    public var value: Int64 {
        scaled(toNanos: Self.nanosPerUnit)
    }

    /// The amount in thousandths, rounded away from zero, capped at the ends of `Int64`.
    public var milliValue: Int64 {
        scaled(toNanos: 1_000_000)
    }

    /// The amount in billionths, capped at the ends of `Int64`: CPU time rates.
    public var nanoValue: Int64 {
        Int64(clamping: nanos)
    }

    /// The amount as a floating-point number, which may round it.
    public var doubleValue: Double {
        Double(nanos) / 1e9
    }

    public var isZero: Bool { nanos == 0 }
    public var isNegative: Bool { nanos < 0 }

    private func scaled(toNanos unit: Int128) -> Int64 {
        let (quotient, remainder) = nanos.quotientAndRemainder(dividingBy: unit)
        return Int64(clamping: remainder == 0 ? quotient : quotient + (remainder > 0 ? 1 : -1))
    }
}

extension Quantity: Hashable, Comparable {
    public static func == (left: Quantity, right: Quantity) -> Bool {
        left.nanos == right.nanos
    }

    public static func < (left: Quantity, right: Quantity) -> Bool {
        left.nanos < right.nanos
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(nanos)
    }
}

extension Quantity {
    /// The sum, in the left operand's format unless that is zero; capped at the largest representable amount.
    public static func + (left: Quantity, right: Quantity) -> Quantity {
        let (sum, overflow) = left.nanos.addingReportingOverflow(right.nanos)
        return Quantity(
            nanos: overflow ? (right.nanos < 0 ? .min : .max) : sum, format: left.isZero ? right.format : left.format)
    }

    /// The difference, in the left operand's format unless that is zero; capped at the largest representable amount.
    public static func - (left: Quantity, right: Quantity) -> Quantity {
        let (difference, overflow) = left.nanos.subtractingReportingOverflow(right.nanos)
        return Quantity(
            nanos: overflow ? (right.nanos < 0 ? .max : .min) : difference,
            format: left.isZero ? right.format : left.format)
    }

    public static func += (left: inout Quantity, right: Quantity) { left = left + right }
    public static func -= (left: inout Quantity, right: Quantity) { left = left - right }
}

extension Quantity: Codable, SchemaLeaf {
    public static var schemaType: SchemaLeafType { .quantity }

    /// Reads a string or a plain number; null is zero.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .zero
            return
        }
        let text: String
        if let string = try? container.decode(String.self) {
            text = string.trimmingASCIISpace()
        } else if let integer = try? container.decode(Int64.self) {
            text = String(integer)
        } else {
            text = JSONNumberText.text(of: try container.decode(Double.self))
        }
        do {
            try self.init(parsing: text)
        } catch {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: error.description)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension String {
    /// Without spaces, tabs and line ends at both sides.
    fileprivate func trimmingASCIISpace() -> String {
        func isSpace(_ character: Character) -> Bool { character == " " || character == "\t" || character.isNewline }
        guard let first = firstIndex(where: { !isSpace($0) }), let last = lastIndex(where: { !isSpace($0) }) else {
            return ""
        }
        return String(self[first...last])
    }
}
