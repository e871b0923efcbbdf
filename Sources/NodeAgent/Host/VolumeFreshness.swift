/// Whether a running pod's files may be older than what they come from. Pure.
struct VolumeFreshness: Hashable, Sendable {
    /// Facts of the pod that files may show; all else in them never changes.
    struct Facts: Hashable, Sendable {
        var labels: [String: String]?
        var annotations: [String: String]?
    }

    private(set) var isStale = true
    private var facts: Facts?
    private var dueAt: Duration?

    /// Someone has heard of a change.
    mutating func changed() { isStale = true }

    /// The files are about to be brought up to date with these facts; a change from now on counts anew.
    mutating func begin(_ facts: Facts) {
        isStale = false
        self.facts = facts
        dueAt = nil
    }

    /// They are to be looked at again then, even if nothing changes; nil never.
    mutating func ended(dueAt: Duration?) { self.dueAt = dueAt }

    /// When to look again; nil when only a change makes it necessary.
    func nextLook() -> Duration? { dueAt }

    func isDue(_ facts: Facts, now: Duration) -> Bool {
        if isStale || self.facts != facts { return true }
        return dueAt.map { $0 <= now } ?? false
    }
}
