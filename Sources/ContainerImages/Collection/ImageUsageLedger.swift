import KubernetesAPI

/// When each image came and when it was needed last. Pure; ``ImageUsageFile`` keeps it.
///
/// It is written when an image begins or ceases to be needed, not while that lasts: an idle node writes nothing.
struct ImageUsageLedger: Hashable, Sendable {
    struct Entry: Hashable, Sendable {
        /// Seconds since 1970.
        var firstSeen: Int64
        var lastUsed: Int64?
        /// As of the last look; then it is used until the next one that says otherwise.
        var isInUse = false
    }

    private(set) var entries: [ContentDigest: Entry] = [:]

    init() {}

    /// Takes in what is there and what is needed at `now`, in seconds since 1970.
    ///
    /// - Parameter used: what was used since the last look, and may be no more.
    /// - Returns: whether there is anything to be kept.
    mutating func observe(
        present: Set<ContentDigest>, needed: Set<ContentDigest>, used: Set<ContentDigest> = [], now: Int64
    ) -> Bool {
        let before = entries
        entries = entries.filter { present.contains($0.key) }
        for id in present {
            var entry = entries[id] ?? Entry(firstSeen: now)
            // A clock that was ahead would keep an image for as long as it was.
            entry.firstSeen = min(entry.firstSeen, now)
            entry.lastUsed = entry.lastUsed.map { min($0, now) }
            let isNeeded = needed.contains(id)
            if isNeeded != entry.isInUse || (used.contains(id) && !isNeeded) { entry.lastUsed = now }
            entry.isInUse = isNeeded
            entries[id] = entry
        }
        return entries != before
    }

    /// When an image was used last, as of `now`.
    func lastUsed(_ id: ContentDigest, now: Int64) -> Int64? {
        guard let entry = entries[id] else { return nil }
        return entry.isInUse ? now : entry.lastUsed
    }

    // MARK: JSON

    /// Nil for anything else than ``json``.
    init?(_ value: JSONValue) {
        guard value["version"]?.intValue == 1, let members = value["images"]?.objectValue else { return nil }
        for (name, item) in members {
            guard let id = ContentDigest(name), let firstSeen = item["firstSeen"]?.intValue,
                let isInUse = item["inUse"]?.boolValue
            else { return nil }
            entries[id] = Entry(firstSeen: firstSeen, lastUsed: item["lastUsed"]?.intValue, isInUse: isInUse)
        }
    }

    var json: JSONValue {
        var members: [String: JSONValue] = [:]
        for (id, entry) in entries {
            members[id.description] = [
                "firstSeen": .integer(entry.firstSeen), "lastUsed": entry.lastUsed.map { .integer($0) } ?? .null,
                "inUse": .bool(entry.isInUse),
            ]
        }
        return ["version": 1, "images": .object(members)]
    }
}
