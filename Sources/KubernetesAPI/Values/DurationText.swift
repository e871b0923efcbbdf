extension Duration {
    /// Reads a duration as Kubernetes writes it: decimal numbers with units, such as `5m0s`, `1.5h` or `300ms`. Nil for anything else.
    ///
    /// In whole numbers: floating point would not be exact.
    public init?(kubernetes text: String) {
        var rest = text[...]
        var sign = 1
        if rest.first == "-" || rest.first == "+" { sign = rest.removeFirst() == "-" ? -1 : 1 }
        if rest == "0" {
            self = .zero
            return
        }
        guard !rest.isEmpty, rest.utf8.count <= 64 else { return nil }
        // The format's origin holds 292 years, as do these.
        var total: Int64 = 0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest[digits.endIndex...]
            let unitText = rest.prefix { !$0.isNumber && $0 != "." }
            rest = rest[unitText.endIndex...]
            guard let unit = Self.units[String(unitText)], let amount = Self.nanoseconds(digits, of: unit) else {
                return nil
            }
            let (sum, overflow) = total.addingReportingOverflow(amount)
            guard !overflow else { return nil }
            total = sum
        }
        self = .nanoseconds(total) * sign
    }

    /// `digits` with at most one point, times `unit`; what is below a nanosecond is cut off.
    private static func nanoseconds(_ digits: Substring, of unit: Int64) -> Int64? {
        let parts = digits.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let fraction = (parts.count > 1 ? parts[1] : "").prefix(18)
        guard let first = parts.first, !(first.isEmpty && fraction.isEmpty) else { return nil }
        guard let whole = first.isEmpty ? 0 : Int64(first), let tail = fraction.isEmpty ? 0 : Int64(fraction) else {
            return nil
        }
        let (product, overflow) = whole.multipliedReportingOverflow(by: unit)
        guard !overflow else { return nil }
        let scale = fraction.reduce(Int64(1)) { scale, _ in scale * 10 }
        // tail < scale, so the quotient is below the unit.
        let (sum, tooLarge) = product.addingReportingOverflow(
            scale.dividingFullWidth(tail.multipliedFullWidth(by: unit)).quotient)
        return tooLarge ? nil : sum
    }

    /// In nanoseconds.
    private static let units: [String: Int64] = [
        "ns": 1, "us": 1000, "µs": 1000, "μs": 1000, "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000,
        "h": 3_600_000_000_000,
    ]

    /// As Kubernetes writes it: `2m0s`, `1.5s`, `300ms`, `0s`. What is below a nanosecond is cut off; 292 years are the most.
    public var kubernetesText: String {
        let parts = components
        let (seconds, overflow) = parts.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, tooLarge) = seconds.addingReportingOverflow(parts.attoseconds / 1_000_000_000)
        let isNegative = parts.seconds < 0 || parts.attoseconds < 0
        let total = overflow || tooLarge ? UInt64(Int64.max) : sum.magnitude
        return (isNegative ? "-" : "") + Self.text(nanoseconds: total)
    }

    private static func text(nanoseconds total: UInt64) -> String {
        let (minute, hour): (UInt64, UInt64) = (60_000_000_000, 3_600_000_000_000)
        switch total {
        case 0: return "0s"
        case ..<1000: return "\(total)ns"
        case ..<1_000_000: return decimal(total, 1000) + "µs"
        case ..<1_000_000_000: return decimal(total, 1_000_000) + "ms"
        case ..<minute: return decimal(total, 1_000_000_000) + "s"
        case ..<hour: return "\(total / minute)m" + decimal(total % minute, 1_000_000_000) + "s"
        default:
            return "\(total / hour)h\(total % hour / minute)m" + decimal(total % minute, 1_000_000_000) + "s"
        }
    }

    /// `total / unit`, exactly, without zeros at the end; the unit is a power of ten.
    private static func decimal(_ total: UInt64, _ unit: UInt64) -> String {
        let fraction = total % unit
        guard fraction > 0 else { return "\(total / unit)" }
        var digits = String(unit + fraction).dropFirst()
        while digits.last == "0" { digits.removeLast() }
        return "\(total / unit).\(digits)"
    }
}
