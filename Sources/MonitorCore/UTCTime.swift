/// A calendar date and time of day in UTC (proleptic Gregorian), without a time zone database.
struct UTCTime {
    let year: Int64
    let month: Int64
    let day: Int64
    let secondOfDay: Int64
    let nanosecond: Int64

    /// `nanoseconds` since 1970-01-01T00:00:00Z. The date is counted in years that begin in March, so that the leap day is last.
    init(nanoseconds: Int64) {
        let perSecond: Int64 = 1_000_000_000
        // Rounded down, also before 1970.
        let remainder = nanoseconds % perSecond
        let seconds = nanoseconds / perSecond - (remainder < 0 ? 1 : 0)
        nanosecond = remainder < 0 ? remainder + perSecond : remainder
        let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        secondOfDay = seconds - days * 86_400
        // 719 468 days lie between 0000-03-01 and 1970-01-01; an era is 400 years, 146 097 days.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// `2026-11-21T10:41:43.000000001Z`.
    func appendRFC3339(to output: inout [UInt8]) {
        UTCTime.append(year, digits: 4, to: &output)
        output.append(0x2D)
        UTCTime.append(month, digits: 2, to: &output)
        output.append(0x2D)
        UTCTime.append(day, digits: 2, to: &output)
        output.append(0x54)
        UTCTime.append(secondOfDay / 3600, digits: 2, to: &output)
        output.append(0x3A)
        UTCTime.append(secondOfDay / 60 % 60, digits: 2, to: &output)
        output.append(0x3A)
        UTCTime.append(secondOfDay % 60, digits: 2, to: &output)
        output.append(0x2E)
        UTCTime.append(nanosecond, digits: 9, to: &output)
        output.append(0x5A)
    }

    /// `20261121-104143`.
    func appendCompact(to output: inout [UInt8]) {
        UTCTime.append(year, digits: 4, to: &output)
        UTCTime.append(month, digits: 2, to: &output)
        UTCTime.append(day, digits: 2, to: &output)
        output.append(0x2D)
        UTCTime.append(secondOfDay / 3600, digits: 2, to: &output)
        UTCTime.append(secondOfDay / 60 % 60, digits: 2, to: &output)
        UTCTime.append(secondOfDay % 60, digits: 2, to: &output)
    }

    /// The last `digits` digits of a number that is not negative.
    static func append(_ value: Int64, digits: Int, to output: inout [UInt8]) {
        var divisor: Int64 = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            output.append(UInt8(0x30 + value / divisor % 10))
            divisor /= 10
        }
    }
}
