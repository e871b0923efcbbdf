/// One frame of a watch stream.
public struct WatchEvent: Codable, Hashable, Sendable {
    /// See ``WatchEventType``.
    @ZeroIfAbsent public var type: String
    /// The object after the change; for `DELETED` its last state, for `ERROR` a ``Status``.
    @ZeroIfAbsent public var object: JSONValue

    public init(type: String = "", object: JSONValue = .null) {
        self.type = type
        self.object = object
    }
}

/// What happened to the object of a ``WatchEvent``.
public enum WatchEventType: String, CaseIterable, Sendable {
    case added = "ADDED"
    case modified = "MODIFIED"
    case deleted = "DELETED"
    /// Carries only a resourceVersion the watcher has caught up with.
    case bookmark = "BOOKMARK"
    case error = "ERROR"
}
