/// The screen of `swiftlet top`, line by line. Pure: what is shown follows from the state and the size alone.
public struct TopView: Sendable {
    public var width: Int
    public var height: Int

    public init(width: Int, height: Int) {
        self.width = max(20, width)
        self.height = max(4, height)
    }

    /// At most ``height`` lines of at most ``width`` characters.
    public func lines(_ state: TopState, time: String, interval: String) -> [String] {
        guard let reading = state.reading else { return [cut("waiting for the node …")] }
        var lines = [
            "\(reading.nodeName)   \(time)   every \(interval)   by \(state.order.rawValue)   c cpu  m memory  q quit"
        ]
        lines += nodeLines(state, reading)
        lines.append("")
        let rows = state.orderedRows
        let room = max(0, height - lines.count - 1)
        // The last line says what does not fit.
        let fits = rows.count <= room
        lines += table(state, rows: Array(rows.prefix(fits ? room : max(0, room - 1))))
        if !fits { lines.append("… and \(rows.count - max(0, room - 1)) more") }
        return lines.prefix(height).map(cut)
    }

    private func nodeLines(_ state: TopState, _ reading: TopReading) -> [String] {
        let bars = min(TopState.historyLimit, max(8, width / 5))
        let full = reading.processors * 1_000_000_000
        let used = state.nodeRates?.nanoCores
        let percent = used.map { "\(($0 * 100 + full / 2) / full)%" } ?? "-"
        var memory = "memory \(Self.bytes(reading.node.memoryBytes))"
        if let total = reading.memoryTotalBytes, total > 0, let bytes = reading.node.memoryBytes {
            memory += " of \(Self.bytes(total)) (\(bytes * 100 / total)%)"
        }
        let first =
            "cpu \(percent) of \(reading.processors) cores "
            + Sparkline.draw(state.history("", .cpu), width: bars, ceiling: full) + "   \(memory) "
            + Sparkline.draw(state.history("", .memory), width: bars, ceiling: reading.memoryTotalBytes)
        var second =
            "disk \(Self.rate(state.nodeRates?.readBytes)) read, \(Self.rate(state.nodeRates?.writtenBytes)) written"
            + "   network \(Self.rate(state.nodeRates?.receivedBytes)) in, \(Self.rate(state.nodeRates?.sentBytes)) out"
        if let available = reading.diskAvailableBytes, let capacity = reading.diskCapacityBytes {
            second += "   \(Self.bytes(available)) of \(Self.bytes(capacity)) free"
        }
        guard let cpu = reading.node.cpuPressure else { return [first, second] }
        let third =
            "pressure cpu \(Self.percent(cpu)), memory \(Self.percent(reading.node.memoryPressure ?? 0)), "
            + "io \(Self.percent(reading.node.ioPressure ?? 0))"
        return [first, second, third]
    }

    private func table(_ state: TopState, rows: [TopState.Row]) -> [String] {
        var cells = [Self.header + ["TREND"]]
        for row in rows { cells.append(Self.cells(row) + [""]) }
        var lines = Self.align(cells)
        let used = lines.dropFirst().map(\.count).max() ?? 0
        let bars = min(TopState.historyLimit, max(0, width - max(used, lines[0].count - 5)))
        for (index, row) in rows.enumerated() {
            let history = state.history(row.id, state.order)
            lines[index + 1] += Sparkline.draw(history, width: min(bars, history.count))
        }
        return lines
    }

    /// The same as a plain table, for pipes and files.
    public static func plain(_ state: TopState) -> String {
        guard let reading = state.reading else { return "" }
        var cells = [header]
        cells.append(
            ["", "(node)", ""] + figures(reading.node, state.nodeRates, limit: reading.memoryTotalBytes))
        for row in state.orderedRows { cells.append(Self.cells(row)) }
        return align(cells).map { line in
            var line = line[...]
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }

    private static let header = [
        "NAMESPACE", "POD", "CONTAINER", "CPU", "MEMORY", "LIMIT", "READ/S", "WRITE/S", "IN/S", "OUT/S",
    ]

    private static func cells(_ row: TopState.Row) -> [String] {
        [row.namespace, row.pod, row.container.isEmpty ? "(pod)" : row.container]
            + figures(row.figures, row.rates, limit: row.figures.memoryLimitBytes)
    }

    private static func figures(_ figures: TopReading.Figures, _ rates: TopState.Rates?, limit: Int64?) -> [String] {
        [
            rates?.nanoCores.map { "\(($0 + 500_000) / 1_000_000)m" } ?? "-", bytes(figures.memoryBytes), bytes(limit),
            bytes(rates?.readBytes), bytes(rates?.writtenBytes), bytes(rates?.receivedBytes), bytes(rates?.sentBytes),
        ]
    }

    private static func align(_ rows: [[String]]) -> [String] {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { column, cell in
                cell + String(repeating: " ", count: max(0, widths[column] - cell.count))
            }.joined(separator: "  ")
        }
    }

    private static func rate(_ bytes: Int64?) -> String { Self.bytes(bytes) + "/s" }

    private static func percent(_ value: Double) -> String {
        let tenths = Int64((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)%"
    }

    /// `12Mi`: in the largest binary unit that leaves at least one.
    static func bytes(_ count: Int64?) -> String {
        guard let count else { return "-" }
        let units = ["", "Ki", "Mi", "Gi", "Ti"]
        var (value, unit) = (Double(count), 0)
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        let tenths = Int64((value * 10).rounded())
        return unit > 0 && tenths < 100 && tenths % 10 > 0
            ? "\(tenths / 10).\(tenths % 10)\(units[unit])" : "\(Int64(value.rounded()))\(units[unit])"
    }

    private func cut(_ line: String) -> String { line.count <= width ? line : String(line.prefix(width)) }
}
