/// Columns for people: as wide as their widest cell, three spaces apart.
struct TextTable {
    private var rows: [[String]]

    init(_ header: [String]) {
        rows = [header]
    }

    mutating func add(_ row: [String]) { rows.append(row) }

    var text: String {
        let count = rows.map(\.count).max() ?? 0
        let widths = (0..<count).map { column in rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0 }
        return rows.map { row in
            var line = row.enumerated().map { column, cell in
                cell + String(repeating: " ", count: max(0, widths[column] - cell.count))
            }.joined(separator: "   ")
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }

    /// `12Mi`: bytes in the largest binary unit that leaves at least one.
    static func bytes(_ count: Int64) -> String {
        let units = ["", "Ki", "Mi", "Gi", "Ti"]
        var (value, unit) = (Double(count), 0)
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return "\(Int64(value.rounded()))\(units[unit])"
    }

    /// `3m12s`, `5h`, `12d`: an age.
    static func age(seconds: Int64) -> String {
        switch max(0, seconds) {
        case let seconds where seconds < 120: "\(seconds)s"
        case let seconds where seconds < 7200: "\(seconds / 60)m\(seconds % 60)s"
        case let seconds where seconds < 172_800: "\(seconds / 3600)h"
        case let seconds: "\(seconds / 86400)d"
        }
    }
}
