/// What happened in a world, a line each; the same seed gives the same bytes.
struct Trace {
    private(set) var lines: [String] = []
    private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    private(set) var count = 0
    let isKept: Bool
    /// Printed at once, for worlds that do not come to an end.
    var isLive = false

    init(isKept: Bool) { self.isKept = isKept }

    mutating func add(_ time: Duration, _ text: String) {
        count += 1
        let line = "\(Self.text(time)) \(text)"
        for byte in line.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        if isKept { lines.append(line) }
        if isLive { print(line) }
    }

    /// Seconds with milliseconds.
    static func text(_ time: Duration) -> String {
        let (seconds, attoseconds) = time.components
        let millis = String(attoseconds / 1_000_000_000_000_000)
        let padding = String(repeating: "0", count: max(0, 3 - millis.count))
        return "\(seconds).\(padding)\(millis)"
    }
}
