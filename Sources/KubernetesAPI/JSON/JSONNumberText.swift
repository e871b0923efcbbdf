/// How a number is written in JSON.
enum JSONNumberText {
    /// The shortest digits that read back as the same double, laid out as Go's `encoding/json` does: an exponent only
    /// below 1e-6 and from 1e21 on. JSON has no infinities and no NaN; they become `null`.
    static func text(of value: Double) -> String {
        guard value.isFinite else { return "null" }
        if value == 0 { return value.sign == .minus ? "-0" : "0" }
        // Swift's own description has the shortest digits; only their layout differs.
        let (digits, exponent) = digits(of: value.magnitude)
        let sign = value < 0 ? "-" : ""
        let magnitude = value.magnitude
        if magnitude < 1e-6 || magnitude >= 1e21 {
            let rest = digits.dropFirst()
            let power = exponent - 1
            let mantissa = digits.prefix(1) + (rest.isEmpty ? "" : "." + rest)
            return "\(sign)\(mantissa)e\(power < 0 ? "-" : "+")\(power.magnitude)"
        }
        if exponent <= 0 { return "\(sign)0.\(String(repeating: "0", count: -exponent))\(digits)" }
        if exponent >= digits.count {
            return "\(sign)\(digits)\(String(repeating: "0", count: exponent - digits.count))"
        }
        return "\(sign)\(digits.prefix(exponent)).\(digits.dropFirst(exponent))"
    }

    /// The significant digits and the place of the point: the value is 0.`digits` × 10^`exponent`.
    private static func digits(of value: Double) -> (digits: String, exponent: Int) {
        let text = value.description
        let parts = text.split(separator: "e", maxSplits: 1)
        let power = parts.count == 2 ? Int(parts[1]) ?? 0 : 0
        let mantissa = parts[0].split(separator: ".", maxSplits: 1)
        let whole = mantissa[0].drop { $0 == "0" }
        let fraction = mantissa.count == 2 ? mantissa[1] : ""
        var digits = whole + fraction
        var exponent = whole.count + power
        while digits.first == "0" {
            digits.removeFirst()
            exponent -= 1
        }
        while digits.last == "0" { digits.removeLast() }
        return (String(digits), exponent)
    }
}
