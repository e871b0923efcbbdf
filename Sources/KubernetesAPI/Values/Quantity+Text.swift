extension Quantity {
    /// Reads any form Kubernetes accepts: a sign, digits with at most one point, and a suffix.
    public init(parsing text: String) throws(QuantityError) {
        var text = text
        let outcome = text.withUTF8 { bytes in Self.parse(bytes) }
        switch outcome {
        case .success(let quantity): self = quantity
        case .failure(.malformed): throw .malformed(text)
        case .failure(.unknownSuffix): throw .unknownSuffix(text)
        case .failure(.noDigits): throw .noDigits(text)
        }
    }

    private enum Flaw: Error {
        case malformed, unknownSuffix, noDigits
    }

    private enum Suffix {
        case decimal(exponent: Int, Format)
        case binary(shift: Int)
    }

    private static func parse(_ text: UnsafeBufferPointer<UInt8>) -> Result<Quantity, Flaw> {
        var position = 0
        func peek() -> UInt8? { position < text.count ? text[position] : nil }
        func digit(_ byte: UInt8) -> UInt8? { byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : nil }

        guard !text.isEmpty else { return .failure(.malformed) }
        var negative = false
        if let sign = peek(), sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            negative = sign == UInt8(ascii: "-")
            position += 1
        }
        var whole: [UInt8] = []
        var fraction: [UInt8] = []
        var digitCount = 0
        while let byte = peek(), let value = digit(byte) {
            if value != 0 || !whole.isEmpty { whole.append(value) }
            digitCount += 1
            position += 1
        }
        if peek() == UInt8(ascii: ".") {
            position += 1
            while let byte = peek(), let value = digit(byte) {
                fraction.append(value)
                digitCount += 1
                position += 1
            }
        }
        let suffixStart = position
        while let byte = peek(), isSuffixLetter(byte) { position += 1 }
        let lettersEnd = position
        if let sign = peek(), sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { position += 1 }
        while let byte = peek(), digit(byte) != nil { position += 1 }
        guard position == text.count else { return .failure(.malformed) }
        guard digitCount > 0 else { return .failure(suffixStart == text.count ? .noDigits : .malformed) }
        guard let suffix = suffix(text[suffixStart...], letters: lettersEnd - suffixStart) else {
            return .failure(.unknownSuffix)
        }
        return .success(assemble(negative: negative, whole: whole, fraction: fraction, suffix: suffix))
    }

    private static func isSuffixLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "i"), UInt8(ascii: "n"), UInt8(ascii: "u"),
            UInt8(ascii: "m"), UInt8(ascii: "k"), UInt8(ascii: "K"), UInt8(ascii: "M"), UInt8(ascii: "G"),
            UInt8(ascii: "T"), UInt8(ascii: "P"):
            true
        default: false
        }
    }

    private static func suffix(_ bytes: Slice<UnsafeBufferPointer<UInt8>>, letters: Int) -> Suffix? {
        switch String(decoding: bytes, as: UTF8.self) {
        case "": return .decimal(exponent: 0, .decimalSI)
        case "n": return .decimal(exponent: -9, .decimalSI)
        case "u": return .decimal(exponent: -6, .decimalSI)
        case "m": return .decimal(exponent: -3, .decimalSI)
        case "k": return .decimal(exponent: 3, .decimalSI)
        case "M": return .decimal(exponent: 6, .decimalSI)
        case "G": return .decimal(exponent: 9, .decimalSI)
        case "T": return .decimal(exponent: 12, .decimalSI)
        case "P": return .decimal(exponent: 15, .decimalSI)
        case "E": return .decimal(exponent: 18, .decimalSI)
        case "Ki": return .binary(shift: 10)
        case "Mi": return .binary(shift: 20)
        case "Gi": return .binary(shift: 30)
        case "Ti": return .binary(shift: 40)
        case "Pi": return .binary(shift: 50)
        case "Ei": return .binary(shift: 60)
        case let text:
            // An exponent; Int32 is what Kubernetes reads it as.
            guard letters == 1, text.hasPrefix("e") || text.hasPrefix("E"), let exponent = Int32(text.dropFirst())
            else { return nil }
            return .decimal(exponent: Int(exponent), .decimalExponent)
        }
    }

    private static func assemble(negative: Bool, whole: [UInt8], fraction: [UInt8], suffix: Suffix) -> Quantity {
        let cap = Int128(Int64.max) * nanosPerUnit
        var magnitude: Int128
        var format: Format
        switch suffix {
        case .decimal(let exponent, let decimalFormat):
            format = decimalFormat
            let exact = decimalNanos(digits: whole + fraction, exponent: exponent - fraction.count + 9)
            // Kubernetes keeps short decimal numbers above the documented cap as they are (`100E`).
            let isShort = whole.count + fraction.count <= 18
            magnitude = exact.map { isShort ? $0 : min($0, cap) } ?? cap
        case .binary(let shift):
            format = .binarySI
            magnitude = min(binaryNanos(whole: whole, fraction: fraction, shift: shift) ?? cap, cap)
            if magnitude > 0 && magnitude < nanosPerUnit { format = .decimalSI }
        }
        return Quantity(nanos: negative ? -magnitude : magnitude, format: format)
    }

    /// `digits` × 10^`exponent`, rounded up; nil when it does not fit.
    private static func decimalNanos(digits: [UInt8], exponent: Int) -> Int128? {
        let significant = digits.drop { $0 == 0 }
        guard !significant.isEmpty else { return 0 }
        // The number of digits left of the point once the exponent is applied; 39 is past what Int128 holds.
        let kept = significant.count + exponent
        guard kept > 0 else { return 1 }
        guard kept <= 39 else { return nil }
        guard var value = integer(significant.prefix(kept)) else { return nil }
        for _ in significant.count..<max(kept, significant.count) {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            value = product
        }
        guard significant.dropFirst(kept).contains(where: { $0 != 0 }) else { return value }
        let (next, overflow) = value.addingReportingOverflow(1)
        return overflow ? nil : next
    }

    /// `whole.fraction` × 2^`shift` in billionths, rounded up; nil when it does not fit.
    private static func binaryNanos(whole: [UInt8], fraction: [UInt8], shift: Int) -> Int128? {
        let unit = nanosPerUnit << Int128(shift)
        guard let integer = integer(whole[...]) else { return nil }
        let (wholeNanos, overflow) = integer.multipliedReportingOverflow(by: unit)
        if overflow { return nil }
        // Digits past the 28th are worth less than a billionth even in Ei; they only matter for rounding up.
        let digits = fraction.prefix(28)
        guard let numerator = Self.integer(digits) else { return nil }
        var denominator: UInt128 = 1
        for _ in digits { denominator *= 10 }
        let product = numerator.magnitude.multipliedFullWidth(by: unit.magnitude)
        // The numerator is below the denominator, so the quotient is below `unit` and the division cannot overflow.
        let (quotient, remainder) = denominator.dividingFullWidth(product)
        let isInexact = remainder != 0 || fraction.dropFirst(28).contains { $0 != 0 }
        let (sum, sumOverflow) = wholeNanos.addingReportingOverflow(Int128(quotient) + (isInexact ? 1 : 0))
        return sumOverflow ? nil : sum
    }

    private static func integer(_ digits: ArraySlice<UInt8>) -> Int128? {
        var value: Int128 = 0
        for digit in digits {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, sumOverflow) = product.addingReportingOverflow(Int128(digit))
            if overflow || sumOverflow { return nil }
            value = sum
        }
        return value
    }
}

extension Quantity: CustomStringConvertible {
    /// The canonical form: no fraction, the largest suffix that keeps the amount whole.
    public var description: String {
        guard nanos != 0 else { return "0" }
        if format == .binarySI, let text = binaryDescription { return text }
        var mantissa = nanos
        var exponent = -9
        while mantissa.isMultiple(of: 10) {
            mantissa /= 10
            exponent += 1
        }
        // Suffixes come in steps of a thousand, and end at E. `mantissa` shrank by what it grows by here.
        while !exponent.isMultiple(of: 3) || (format != .decimalExponent && exponent > 18) {
            mantissa *= 10
            exponent -= 1
        }
        if format == .decimalExponent { return exponent == 0 ? "\(mantissa)" : "\(mantissa)e\(exponent)" }
        let suffixes = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"]
        return "\(mantissa)\(suffixes[exponent / 3 + 3])"
    }

    /// Nil when the amount is no whole number or below 1 Ki, where binary suffixes would confuse.
    private var binaryDescription: String? {
        let (units, remainder) = nanos.quotientAndRemainder(dividingBy: Self.nanosPerUnit)
        guard remainder == 0, units.magnitude >= 1024 else { return nil }
        var mantissa = units
        var step = 0
        let suffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
        while mantissa.isMultiple(of: 1024), step + 1 < suffixes.count {
            mantissa /= 1024
            step += 1
        }
        return "\(mantissa)\(suffixes[step])"
    }
}
