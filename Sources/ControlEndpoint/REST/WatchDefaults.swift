/// Times of watches; tests shorten them.
struct WatchDefaults: Sendable {
    /// Between bookmarks to a client that asked for them.
    var bookmarkInterval: Duration = .seconds(60)
    /// Life of a watch that names none, at least; up to twice as long, so that clients do not come back all at once.
    var minimumTimeout: Duration = .seconds(1800)
}
