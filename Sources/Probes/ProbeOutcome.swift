/// How one run of a probe ended.
public enum ProbeOutcome: Hashable, Sendable {
    case success(message: String)
    /// Counts as success, and is told as an event.
    case warning(message: String)
    case failure(message: String)
    /// The probe could not be run, which says nothing about the container: tried again, then discarded.
    case error(message: String)
}
