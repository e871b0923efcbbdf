/// Turns a stream of output bytes into CRI log lines: `<RFC 3339 nanoseconds> <stream> <P|F> <content>\n`.
///
/// A line longer than ``partialLimit`` is cut into partial (`P`) entries; the entry that holds its newline is full (`F`).
public struct LogFraming: Sendable {
    /// Bytes of content in one entry, as containerd and CRI-O cut them.
    public static let partialLimit = 16384

    private let name: StaticString
    /// The unfinished line.
    private var pending: [UInt8] = []

    public init(stream name: StaticString) {
        self.name = name
    }

    /// Appends the entries that `bytes` completes to `output`, stamped `nanoseconds` since the epoch.
    public mutating func append(_ bytes: ArraySlice<UInt8>, at nanoseconds: Int64, to output: inout [UInt8]) {
        var rest = bytes
        while !rest.isEmpty {
            var length = 0
            let room = LogFraming.partialLimit - pending.count
            var newline = false
            for byte in rest {
                if byte == 10 {
                    newline = true
                    break
                }
                if length == room { break }
                length += 1
            }
            let piece = rest.prefix(length)
            rest = rest.dropFirst(length)
            if newline {
                rest = rest.dropFirst()
                write(piece, full: true, at: nanoseconds, to: &output)
            } else if pending.count + length == LogFraming.partialLimit, !rest.isEmpty {
                write(piece, full: false, at: nanoseconds, to: &output)
            } else {
                pending.append(contentsOf: piece)
            }
        }
    }

    /// The stream has ended: what is left without a newline is one last partial entry.
    public mutating func finish(at nanoseconds: Int64, to output: inout [UInt8]) {
        if !pending.isEmpty { write([], full: false, at: nanoseconds, to: &output) }
    }

    private mutating func write(
        _ piece: ArraySlice<UInt8>, full: Bool, at nanoseconds: Int64, to output: inout [UInt8]
    ) {
        UTCTime(nanoseconds: nanoseconds).appendRFC3339(to: &output)
        output.append(0x20)
        name.withUTF8Buffer { output.append(contentsOf: $0) }
        output.append(0x20)
        output.append(full ? 0x46 : 0x50)
        output.append(0x20)
        output.append(contentsOf: pending)
        output.append(contentsOf: piece)
        output.append(10)
        pending.removeAll(keepingCapacity: true)
    }
}
