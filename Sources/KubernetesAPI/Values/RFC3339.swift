/// RFC 3339 date-times, read and written without a calendar library.
enum RFC3339 {
    /// Reads `2006-01-02T15:04:05[.fraction](Z|±hh:mm)`; nil for anything else.
    ///
    /// Fraction digits past the ninth are dropped.
    static func parse(_ text: String) -> (seconds: Int64, nanoseconds: Int32)? {
        let bytes = Array(text.utf8)
        // The longest sensible form is 35 bytes; a longer fraction adds nothing.
        guard bytes.count >= 20, bytes.count <= 64 else { return nil }
        func number(_ start: Int, _ length: Int) -> Int? {
            guard start + length <= bytes.count else { return nil }
            var value = 0
            for byte in bytes[start..<(start + length)] {
                guard byte >= 0x30, byte <= 0x39 else { return nil }
                value = value * 10 + Int(byte - 0x30)
            }
            return value
        }
        guard bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"), bytes[10] == UInt8(ascii: "T"),
            bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            let year = number(0, 4), let month = number(5, 2), let day = number(8, 2), let hour = number(11, 2),
            let minute = number(14, 2), let second = number(17, 2),
            let civil = CivilTime(
                year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        else { return nil }

        var position = 19
        var nanoseconds: Int32 = 0
        if bytes[position] == UInt8(ascii: ".") {
            position += 1
            let start = position
            var unit: Int32 = 100_000_000
            while position < bytes.count, bytes[position] >= 0x30, bytes[position] <= 0x39 {
                nanoseconds += Int32(bytes[position] - 0x30) * unit
                unit /= 10
                position += 1
            }
            guard position > start else { return nil }
        }
        guard position < bytes.count else { return nil }
        var offset = 0
        switch bytes[position] {
        case UInt8(ascii: "Z"):
            guard position + 1 == bytes.count else { return nil }
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            guard position + 6 == bytes.count, bytes[position + 3] == UInt8(ascii: ":"),
                let hours = number(position + 1, 2), let minutes = number(position + 4, 2), hours < 24, minutes < 60
            else { return nil }
            offset = (hours * 3600 + minutes * 60) * (bytes[position] == UInt8(ascii: "-") ? -1 : 1)
        default:
            return nil
        }
        return (civil.unixSeconds - Int64(offset), nanoseconds)
    }

    /// Writes UTC with `Z`.
    ///
    /// - Parameter fractionDigits: how many digits of the second's fraction, 0 to 9; the rest is cut off.
    static func text(seconds: Int64, nanoseconds: Int32, fractionDigits: Int) -> String {
        let civil = CivilTime(unixSeconds: seconds)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(30)
        func append(_ value: Int, width: Int) {
            var divisor = 1
            for _ in 1..<width { divisor *= 10 }
            for _ in 0..<width {
                bytes.append(0x30 + UInt8(value / divisor % 10))
                divisor /= 10
            }
        }
        append(civil.year, width: 4)
        bytes.append(UInt8(ascii: "-"))
        append(civil.month, width: 2)
        bytes.append(UInt8(ascii: "-"))
        append(civil.day, width: 2)
        bytes.append(UInt8(ascii: "T"))
        append(civil.hour, width: 2)
        bytes.append(UInt8(ascii: ":"))
        append(civil.minute, width: 2)
        bytes.append(UInt8(ascii: ":"))
        append(civil.second, width: 2)
        if fractionDigits > 0 {
            bytes.append(UInt8(ascii: "."))
            var fraction = Int(nanoseconds)
            for _ in fractionDigits..<9 { fraction /= 10 }
            append(fraction, width: fractionDigits)
        }
        bytes.append(UInt8(ascii: "Z"))
        return String(decoding: bytes, as: UTF8.self)
    }
}
