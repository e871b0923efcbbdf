extension Duration {
    /// As Go prints it, since people search for these messages: `1s`, `1m30s`, `1h0m0s`, `500ms`.
    var goText: String {
        let (seconds, attoseconds) = components
        let milliseconds = attoseconds / 1_000_000_000_000_000
        if seconds == 0 && milliseconds != 0 { return "\(milliseconds)ms" }
        let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60)
        if hours > 0 { return "\(hours)h\(minutes)m\(rest)s" }
        return minutes > 0 ? "\(minutes)m\(rest)s" : "\(rest)s"
    }
}
