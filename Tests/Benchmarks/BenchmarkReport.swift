import KubernetesAPI
import LinuxKernel

/// The results of one run, for people (markdown) and for programs (JSON).
struct BenchmarkReport: Sendable {
    let machine: String
    let rows: [MeasureRow]
    /// Measures that could not be taken, with the reason.
    let omitted: [(measure: String, reason: String)]

    /// Kernel, processors and load: figures of two machines, or of one at two moments, compare by their ratios alone.
    static func describeMachine(_ options: BenchmarkOptions) -> String {
        let kernel = (try? FileSystem.readText("/proc/sys/kernel/osrelease")).map { $0.prefix { $0 != "\n" } } ?? "?"
        let load = (try? ProcFS.loadAverage().oneMinute).map { decimal($0, 1) } ?? "?"
        let cgroups = (try? CgroupHierarchies.discover().version.rawValue) ?? "?"
        return "Linux \(kernel), \(ProcFS.processorCount()) CPUs, cgroups \(cgroups), load \(load) at the start, "
            + "layers on \(options.layerDirectory ?? "tmpfs")"
    }

    var markdown: String {
        var lines = [
            "Measured on \(machine).", "",
            "| Measure | Who | Median | p10–p90 | CPU | Against | Ratio | Goal |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for row in rows { lines.append(Self.line(row)) }
        if !omitted.isEmpty { lines.append("") }
        for (measure, reason) in omitted { lines.append("- not measured: \(measure): \(reason)") }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func line(_ row: MeasureRow) -> String {
        let digits = row.unit == .mebibytes || row.samples.median < 1 ? 2 : 1
        let verdict = row.meetsGoal.map { $0 ? " ✓" : " ✗" } ?? ""
        let median = decimal(row.samples.median, digits) + " " + row.unit.rawValue
        var spread = ""
        if row.samples.count > 1 {
            spread = decimal(row.samples.percentile(0.1), digits) + "–" + decimal(row.samples.percentile(0.9), digits)
        }
        let cpu = row.cpuMilliseconds.map { decimal($0.median, 1) + " ms" } ?? ""
        let ratio = row.ratio.map { decimal($0, 2) } ?? ""
        let goal = row.goal.map { "≤ " + decimal($0, 2) + verdict } ?? ""
        let cells: [String] = [row.measure, row.subject, median, spread, cpu, row.peer ?? "", ratio, goal]
        return "| " + cells.joined(separator: " | ") + " |"
    }

    var json: JSONValue {
        .object([
            "machine": .string(machine),
            "rows": .array(rows.map(Self.json)),
            "omitted": .array(
                omitted.map { .object(["measure": .string($0.measure), "reason": .string($0.reason)]) }),
        ])
    }

    private static func json(_ row: MeasureRow) -> JSONValue {
        var object: [String: JSONValue] = [
            "measure": .string(row.measure), "subject": .string(row.subject), "unit": .string(row.unit.rawValue),
            "samples": .integer(Int64(row.samples.count)), "median": .double(row.samples.median),
            "p10": .double(row.samples.percentile(0.1)), "p90": .double(row.samples.percentile(0.9)),
        ]
        if let cpu = row.cpuMilliseconds { object["cpuMilliseconds"] = .double(cpu.median) }
        if let peer = row.peer { object["peer"] = .string(peer) }
        if let ratio = row.ratio { object["ratio"] = .double(ratio) }
        if let goal = row.goal { object["goal"] = .double(goal) }
        if let meetsGoal = row.meetsGoal { object["meetsGoal"] = .bool(meetsGoal) }
        return .object(object)
    }

    /// `value` with a fixed number of decimals.
    private static func decimal(_ value: Double, _ digits: Int) -> String {
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let scaled = (value.magnitude * scale).rounded()
        guard scaled < 1e15 else { return "\(value)" }
        let sign = value < 0 && scaled > 0 ? "-" : ""
        let whole = String(Int64(scaled))
        guard digits > 0 else { return sign + whole }
        let padded = String(repeating: "0", count: max(0, digits + 1 - whole.count)) + whole
        return sign + padded.dropLast(digits) + "." + padded.suffix(digits)
    }
}
