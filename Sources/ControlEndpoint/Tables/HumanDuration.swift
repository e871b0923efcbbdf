internal import KubernetesAPI

/// Ages as kubectl's users know them: one or two units, the coarser the older.
enum HumanDuration {
    private static let minute: Int64 = 60
    private static let hour: Int64 = 3600
    private static let day: Int64 = 24 * hour
    private static let year: Int64 = 365 * day

    /// The time from an RFC 3339 timestamp until now; `<unknown>` when there is none.
    static func since(_ timestamp: String, now: Timestamp) -> String {
        guard let begin = Timestamp(rfc3339: timestamp) else { return "<unknown>" }
        return text(seconds: now.seconds &- begin.seconds)
    }

    static func text(seconds: Int64) -> String {
        switch seconds {
        case ..<(-1): return "<invalid>"
        case ..<0: return "0s"
        case ..<(2 * minute): return "\(seconds)s"
        case ..<(10 * minute): return pair(seconds, minute, "m", 1, "s")
        case ..<(3 * hour): return "\(seconds / minute)m"
        case ..<(8 * hour): return pair(seconds, hour, "h", minute, "m")
        case ..<(2 * day): return "\(seconds / hour)h"
        case ..<(8 * day): return pair(seconds, day, "d", hour, "h")
        case ..<(2 * year): return "\(seconds / day)d"
        case ..<(8 * year): return pair(seconds, year, "y", day, "d")
        default: return "\(seconds / year)y"
        }
    }

    private static func pair(_ seconds: Int64, _ large: Int64, _ largeName: String, _ small: Int64, _ smallName: String)
        -> String
    {
        let rest = seconds % large / small
        return rest == 0 ? "\(seconds / large)\(largeName)" : "\(seconds / large)\(largeName)\(rest)\(smallName)"
    }
}
