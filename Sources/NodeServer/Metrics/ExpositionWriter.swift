/// Prometheus' text format, version 0.0.4: families of samples, every family once.
struct ExpositionWriter {
    /// What a scraper is told the text is.
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    enum Kind: String {
        case counter, gauge, histogram
    }

    private(set) var bytes: [UInt8] = []
    private var name = ""

    init(reserving capacity: Int = 4096) { bytes.reserveCapacity(capacity) }

    /// Begins a family; samples follow.
    mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        self.name = name
        append("# HELP ")
        append(name)
        append(" ")
        append(help)
        append("\n# TYPE ")
        append(name)
        append(" ")
        append(kind.rawValue)
        append("\n")
    }

    /// - Parameters:
    ///   - suffix: behind the family's name, as histograms have it.
    ///   - extra: more labels, for what differs between the samples of one thing.
    ///   - milliseconds: since 1970, when the value was taken; nil for now.
    mutating func sample(
        _ labels: ExpositionLabels = ExpositionLabels(), _ value: ExpositionValue, suffix: String = "",
        extra: ExpositionLabels? = nil, milliseconds: Int64? = nil
    ) {
        append(name)
        append(suffix)
        if !labels.text.isEmpty || extra != nil {
            append("{")
            append(labels.text)
            if let extra {
                if !labels.text.isEmpty { append(",") }
                append(extra.text)
            }
            append("}")
        }
        append(" ")
        value.write(to: &bytes)
        if let milliseconds {
            append(" ")
            append(String(milliseconds))
        }
        append("\n")
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }
}

/// The labels of one thing, made into text once for all of its samples.
struct ExpositionLabels: Hashable, Sendable {
    let text: String

    init(_ labels: (String, String)...) { self.init(labels) }

    init(_ labels: [(String, String)]) {
        var text = ""
        for (name, value) in labels {
            if !text.isEmpty { text += "," }
            text += name
            text += "=\""
            text += Self.escaped(value)
            text += "\""
        }
        self.text = text
    }

    /// Backslash, quote and newline, as the format wants them.
    static func escaped(_ text: String) -> String {
        let needsIt = text.utf8.contains {
            $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\n")
        }
        guard needsIt else { return text }
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}

/// A number of a sample. Amounts the kernel counts in whole units are written exactly, however large.
enum ExpositionValue: Hashable, Sendable {
    case number(UInt64)
    /// Written in seconds.
    case nanoseconds(UInt64)
    case microseconds(UInt64)
    case real(Double)

    func write(to bytes: inout [UInt8]) {
        switch self {
        case .number(let value): Self.write(value, to: &bytes)
        case .nanoseconds(let value): Self.write(value, of: 1_000_000_000, digits: 9, to: &bytes)
        case .microseconds(let value): Self.write(value, of: 1_000_000, digits: 6, to: &bytes)
        case .real(let value):
            if value.isNaN {
                bytes.append(contentsOf: "NaN".utf8)
            } else if value.isInfinite {
                bytes.append(contentsOf: (value < 0 ? "-Inf" : "+Inf").utf8)
            } else if value == value.rounded(), value.magnitude < 1e15 {
                bytes.append(contentsOf: String(Int64(value)).utf8)
            } else {
                bytes.append(contentsOf: "\(value)".utf8)
            }
        }
    }

    private static func write(_ value: UInt64, of unit: UInt64, digits: Int, to bytes: inout [UInt8]) {
        write(value / unit, to: &bytes)
        var rest = value % unit
        if rest == 0 { return }
        bytes.append(UInt8(ascii: "."))
        var divisor = unit / 10
        for _ in 0..<digits where rest > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest / divisor))
            rest %= divisor
            divisor = max(1, divisor / 10)
        }
    }

    private static func write(_ value: UInt64, to bytes: inout [UInt8]) {
        if value < 10 { return bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value)) }
        let start = bytes.count
        var rest = value
        while rest > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        }
        bytes[start...].reverse()
    }
}
