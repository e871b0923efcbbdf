import KubernetesAPI

/// Turns CRI log entries into what a reader asked for. Pure: bytes in, bytes out.
struct ContainerLogFilter {
    private let options: ContainerLogOptions
    private var remaining: Int64
    private var rest: [UInt8] = []
    /// The entry before was partial: its line goes on, without a new time.
    private var continuesLine = false

    init(_ options: ContainerLogOptions) {
        self.options = options
        remaining = options.limitBytes ?? .max
    }

    /// The byte limit is used up.
    var isDone: Bool { remaining <= 0 }

    /// Takes bytes of the file, in order, and gives the content of the entries they complete.
    mutating func append(_ bytes: some Collection<UInt8>) -> [UInt8] {
        rest.append(contentsOf: bytes)
        var output: [UInt8] = []
        var start = rest.startIndex
        while !isDone, let end = rest[start...].firstIndex(of: 10) {
            take(rest[start..<end], &output)
            start = end + 1
        }
        rest.removeFirst(start)
        return output
    }

    /// `<time> <stream> <P|F> <content>`
    private mutating func take(_ entry: ArraySlice<UInt8>, _ output: inout [UInt8]) {
        let fields = entry.split(separator: 0x20, maxSplits: 3, omittingEmptySubsequences: false)
        guard fields.count >= 3 else { return }
        let content = fields.count > 3 ? fields[3] : []
        if let since = options.since {
            guard let time = Timestamp(rfc3339: String(decoding: fields[0], as: UTF8.self)), time >= since else {
                return
            }
        }
        var piece: [UInt8] = []
        if options.timestamps, !continuesLine { piece = Array(fields[0]) + [0x20] }
        piece.append(contentsOf: content)
        continuesLine = fields[2].first == UInt8(ascii: "P")
        if !continuesLine { piece.append(10) }
        let allowed = Int(clamping: min(remaining, Int64(piece.count)))
        output.append(contentsOf: piece[..<allowed])
        remaining -= Int64(allowed)
    }

    /// Where the last `lines` entries of a log begin, given the whole of it.
    static func tailOffset(_ bytes: [UInt8], lines: Int64) -> Int {
        guard lines > 0 else { return bytes.count }
        var found: Int64 = 0
        var position = bytes.count
        if bytes.last == 10 { position -= 1 }
        while position > 0 {
            if bytes[position - 1] == 10 {
                found += 1
                if found == lines { return position }
            }
            position -= 1
        }
        return 0
    }
}
