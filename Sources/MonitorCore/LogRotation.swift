/// Decides when a log goes on in a new file, what the old one is called, and which one is given up for it.
///
/// The monitor writes the log and so knows its size at every moment: the limit holds however fast a container writes, and
/// whether or not an agent runs. Compressing is left to the agent.
///
///     0.log                              being written
///     0.log.20260102-150405              the newest of the old ones
///     0.log.20260102-150405.000001       ended in the same second
///     0.log.20260102-150305.gz           compressed by the agent
public struct LogRotation: Sendable {
    private let limit: LogLimit
    /// What follows the log's name in those of its old files, oldest first.
    private var rotated: [[UInt8]] = []
    private var lastSecond = Int64.min
    private var lastNumber: Int64 = 0

    public init(_ limit: LogLimit) {
        self.limit = limit
    }

    /// How many of the first bytes of `entries` go into a file that already has `size` bytes: whole entries only. None
    /// means that the file has to be rotated first; an empty file takes at least one entry, however large.
    public func fitting(_ entries: ArraySlice<UInt8>, size: UInt64) -> Int {
        let room = limit.maximumBytes > size ? limit.maximumBytes - size : 0
        if UInt64(entries.count) <= room { return entries.count }
        let head = entries.prefix(Int(truncatingIfNeeded: room))
        if let end = head.lastIndex(of: 10) { return end - entries.startIndex + 1 }
        guard size == 0 else { return 0 }
        let end = entries.firstIndex(of: 10) ?? entries.endIndex - 1
        return end - entries.startIndex + 1
    }

    /// What is appended to the name of the file that ends now. Names sort as they were given, also when the clock steps back.
    public mutating func nextSuffix(at nanoseconds: Int64) -> [UInt8] {
        let second = nanoseconds / 1_000_000_000
        if second > lastSecond {
            lastSecond = second
            lastNumber = 0
        } else {
            lastNumber += 1
        }
        var suffix: [UInt8] = [0x2E]
        UTCTime(nanoseconds: lastSecond * 1_000_000_000).appendCompact(to: &suffix)
        if lastNumber > 0 {
            suffix.append(0x2E)
            UTCTime.append(lastNumber, digits: 6, to: &suffix)
        }
        return suffix
    }

    /// The suffixes of the files that go before one more is there: with it and the one being written, no more than the limit.
    public mutating func makeRoom() -> [[UInt8]] {
        var removed: [[UInt8]] = []
        while rotated.count + 2 > Int(max(2, limit.maximumFiles)), !rotated.isEmpty {
            removed.append(rotated.removeFirst())
        }
        return removed
    }

    /// The file with this suffix is there.
    public mutating func didRotate(_ suffix: [UInt8]) { rotated.append(suffix) }
}
