/// What one apply does, before the object's defaults and rules.
public struct AppliedConfiguration: Hashable, Sendable {
    /// The object with the configuration in it.
    public let object: JSONValue
    /// What the configuration names.
    let fields: FieldSet
    public let manager: FieldManagers.Manager
}

extension FieldManagers {
    /// Merges a configuration into the object and takes out what the manager applied before and others do not own.
    /// - Parameters:
    ///   - live: nil for an object to be created.
    ///   - parts: members of the object, such as `status`, that are not this manager's to set here.
    ///   - now: for a record that begins with this apply.
    public mutating func apply(
        _ configuration: JSONValue, to live: JSONValue?, as manager: Manager, type: ApplyType, without parts: [String],
        now: Timestamp
    ) throws(ApplyError) -> AppliedConfiguration {
        let fields = Self.ownable(
            try FieldSet(of: configuration, type: type, isStrict: true), without: parts)
        guard let live else { return AppliedConfiguration(object: configuration, fields: fields, manager: manager) }
        if entries.isEmpty {
            let all = Self.ownable(try FieldSet(of: live, type: type, isStrict: false), without: parts)
            set(
                all, of: Manager(name: Self.beforeFirstApply, applies: false, apiVersion: manager.apiVersion), now: now)
        }
        var object = try ApplyMerge.merge(configuration, into: live, type)
        let before = self.fields(of: manager)
        if !before.isEmpty {
            let kept = entries.filter { $0.manager != manager }.reduce(fields) { $0.union($1.fields) }
            object = ApplyMerge.prune(object, owned: before, kept: kept, type)
        }
        return AppliedConfiguration(object: object, fields: fields, manager: manager)
    }

    /// Notes an apply whose result is known; others lose what it changed.
    /// - Returns: what others own and the apply would change; nothing is noted then, unless it is forced.
    public mutating func settle(
        _ applied: AppliedConfiguration, old: JSONValue?, new: JSONValue, type: ApplyType, isForced: Bool,
        now: Timestamp
    ) throws(ApplyError) -> [Conflict] {
        if let old {
            let comparison = try ObjectComparison(old: old, new: new, type: type)
            let changed = comparison.changed
            var conflicts: [Conflict] = []
            for entry in entries where entry.manager != applied.manager {
                conflicts += entry.fields.intersection(changed).paths.map {
                    Conflict(manager: entry.manager, time: entry.time, path: $0)
                }
            }
            if !isForced, !conflicts.isEmpty { return conflicts }
            release(changed.union(comparison.removed), except: applied.manager, now: now)
        }
        set(applied.fields, of: applied.manager, now: now)
        return []
    }

    /// Notes a change by another way than applying: the manager owns what it set, others lose it.
    /// - Parameter manager: nil notes no owner, only that others have lost what was changed.
    public mutating func update(
        old: JSONValue, new: JSONValue, by manager: Manager?, type: ApplyType, without parts: [String], now: Timestamp
    ) throws(ApplyError) {
        guard !entries.isEmpty else { return }
        let comparison = try ObjectComparison(old: old, new: new, type: type)
        if comparison.isSame { return }
        release(comparison.changed.union(comparison.removed), except: manager, now: now)
        guard let manager else { return }
        let changed = Self.ownable(comparison.changed, without: parts)
        set(fields(of: manager).subtracting(comparison.removed).union(changed), of: manager, now: now)
        mergeOldest(now: now)
    }

    /// Takes fields away from all other managers.
    private mutating func release(_ fields: FieldSet, except manager: Manager?, now: Timestamp) {
        for entry in entries where entry.manager != manager {
            set(entry.fields.subtracting(fields), of: entry.manager, now: entry.time ?? now)
        }
    }

    private mutating func mergeOldest(now: Timestamp) {
        var updaters = entries.filter { !$0.manager.applies }
        updaters.sort { ($0.time?.seconds ?? 0) < ($1.time?.seconds ?? 0) }
        while updaters.count > Self.updaterLimit {
            let (first, second) = (updaters.removeFirst(), updaters.removeFirst())
            let version = second.manager.apiVersion
            let manager = Manager(name: Self.ancient, applies: false, apiVersion: version)
            entries.removeAll { $0.manager == first.manager || $0.manager == second.manager }
            let merged = Entry(manager: manager, fields: first.fields.union(second.fields), time: second.time)
            entries.append(merged)
            updaters.insert(merged, at: 0)
        }
    }

    /// Whether every conflict is about what `kubectl apply` without the server noted as its own in the object.
    public static func areLastApplied(_ conflicts: [Conflict], in live: JSONValue, type: ApplyType) -> Bool {
        let name = "kubectl.kubernetes.io/last-applied-configuration"
        guard let text = live[path: "metadata", "annotations", name]?.stringValue,
            let configuration = try? JSONValue(parsing: text.utf8),
            let fields = try? FieldSet(of: configuration, type: type, isStrict: false)
        else { return false }
        let known = Set(fields.paths)
        return conflicts.allSatisfy { known.contains($0.path) }
    }
}
