import KubernetesAPI

/// Computes strategic merge patches between two statuses. Pure.
enum StatusPatch {
    /// How the API server treats a list, where it does not replace it as a whole.
    enum ListRule: Sendable {
        /// Merged by this field of its elements; elements of others stay.
        case keyed(String)
        /// The server would merge, but the whole list is meant: a directive says so.
        case replaced
    }

    /// The changed fields; nil when a status has no JSON form, which no status of ours lacks.
    static func changes(
        from old: some Encodable, to new: some Encodable, rules: [String: ListRule]
    ) -> [String: JSONValue]? {
        guard let old = try? JSONValueEncoder().encode(old).objectValue,
            let new = try? JSONValueEncoder().encode(new).objectValue
        else { return nil }
        return memberChanges(from: old, to: new, rules: rules)
    }

    private static func memberChanges(
        from old: [String: JSONValue], to new: [String: JSONValue], rules: [String: ListRule]
    ) -> [String: JSONValue] {
        var changes: [String: JSONValue] = [:]
        for key in old.keys where new[key] == nil { changes[key] = .null }
        for (key, value) in new {
            guard let before = old[key] else {
                changes[key] = value
                continue
            }
            guard before != value else { continue }
            switch (before, value, rules[key]) {
            case (.array(let elements), .array(let wanted), .keyed(let mergeKey)?):
                let changed = keyedChanges(from: elements, to: wanted, mergeKey: mergeKey)
                // Only the order differs: the server has its own.
                if !changed.isEmpty { changes[key] = .array(changed) }
            case (.array, .array(let wanted), .replaced?):
                changes[key] = .array(wanted + [["$patch": "replace"]])
            case (.object(let members), .object(let wanted), _):
                changes[key] = .object(memberChanges(from: members, to: wanted, rules: [:]))
            default:
                changes[key] = value
            }
        }
        return changes
    }

    private static func keyedChanges(
        from old: [JSONValue], to new: [JSONValue], mergeKey: String
    ) -> [JSONValue] {
        func byKey(_ elements: [JSONValue]) -> [JSONValue: [String: JSONValue]] {
            Dictionary(
                elements.compactMap { element in
                    guard let key = element[mergeKey], let members = element.objectValue else { return nil }
                    return (key, members)
                }, uniquingKeysWith: { first, _ in first })
        }
        let (before, after) = (byKey(old), byKey(new))
        var changed: [JSONValue] = []
        for element in new {
            guard let key = element[mergeKey], let wanted = element.objectValue else { continue }
            guard let existing = before[key] else {
                changed.append(element)
                continue
            }
            guard existing != wanted else { continue }
            // Elements are merged field by field: one that is gone has to be said.
            var fields = wanted
            for field in existing.keys where wanted[field] == nil { fields[field] = .null }
            changed.append(.object(fields))
        }
        for element in old {
            guard let key = element[mergeKey], after[key] == nil else { continue }
            changed.append(.object(["$patch": "delete", mergeKey: key]))
        }
        return changed
    }
}
