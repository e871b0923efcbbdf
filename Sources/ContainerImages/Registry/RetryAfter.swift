/// The `Retry-After` header (RFC 9110, 10.2.3), in seconds. Dates are not read: registries send seconds.
enum RetryAfter {
    /// Longer than this, a pull fails instead of waiting: its pod is told why, and tried again later.
    static let limit = Duration.seconds(60)

    /// `nil` when the header is absent or no number of seconds.
    static func parse(_ text: String?) -> Duration? {
        guard let text, !text.isEmpty, text.utf8.count <= 9, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let seconds = Int(text)
        else { return nil }
        return .seconds(seconds)
    }
}
