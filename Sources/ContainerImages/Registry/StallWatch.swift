/// Sees when a transfer is too slow to be alive: a byte a minute keeps every timeout away and a pull waiting for ever.
struct StallWatch: Hashable, Sendable {
    /// 64 KiB in five minutes: the slowest modem is faster.
    static let window = Duration.seconds(300)
    static let leastBytes: Int64 = 64 << 10

    private var windowStart: Duration
    private var windowBytes: Int64 = 0

    init(now: Duration) {
        windowStart = now
    }

    /// `count` bytes have come at `now`; gives whether the transfer has stalled.
    mutating func received(_ count: Int, now: Duration) -> Bool {
        windowBytes += Int64(count)
        guard now - windowStart >= Self.window else { return false }
        let isStalled = windowBytes < Self.leastBytes
        windowStart = now
        windowBytes = 0
        return isStalled
    }
}
