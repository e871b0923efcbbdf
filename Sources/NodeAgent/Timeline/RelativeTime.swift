import KubernetesAPI

/// Spans of time in words: `68 s`, `12 min`, `5 h`, `3 d`.
enum RelativeTime {
    static func text(_ duration: Duration) -> String {
        switch max(0, duration.components.seconds) {
        case let seconds where seconds < 600: "\(seconds) s"
        case let seconds where seconds < 7200: "\(seconds / 60) min"
        case let seconds where seconds < 172_800: "\(seconds / 3600) h"
        case let seconds: "\(seconds / 86400) d"
        }
    }

    static func ago(_ time: Timestamp, now: Timestamp) -> String {
        "\(text(now.since(time))) ago"
    }

    /// Rounded up: what is due in 0.4 s is not due yet.
    static func until(_ duration: Duration) -> String {
        let (seconds, rest) = duration.components
        return text(.seconds(rest > 0 ? seconds + 1 : seconds))
    }
}
