/// Who owns which fields of an object: the decisions of server-side apply, as a value.
///
/// An object that was never applied has no record at all: everything of it then counts as one manager's, and only with the
/// first apply the record begins. So it costs nothing where nobody applies, as with the pods of controllers.
public struct FieldManagers: Hashable, Sendable {
    /// Whose fields.
    public struct Manager: Hashable, Sendable {
        public var name: String
        /// Declares all it wants by applying, or changes single things.
        public var applies: Bool
        public var apiVersion: String
        /// Empty for the object itself.
        public var subresource: String

        public init(name: String, applies: Bool, apiVersion: String, subresource: String = "") {
            self.name = name
            self.applies = applies
            self.apiVersion = apiVersion
            self.subresource = subresource
        }
    }

    struct Entry: Hashable, Sendable {
        var manager: Manager
        var fields: FieldSet
        var time: Timestamp?
    }

    /// A field that another manager owns with another value.
    public struct Conflict: Hashable, Sendable {
        public let manager: Manager
        public let time: Timestamp?
        public let path: [String]

        /// As people read it: `.spec.replicas`.
        public var field: String { FieldStep.readable(path) }

        /// The manager as messages name it.
        public var managerText: String {
            var text = JSONValue.string(manager.name).description
            if !manager.subresource.isEmpty { text += " with subresource \"\(manager.subresource)\"" }
            if manager.applies { return text }
            text += " using \(manager.apiVersion)"
            return time.map { "\(text) at \($0.rfc3339)" } ?? text
        }
    }

    /// Managers that changed single things, kept apart; the oldest beyond that become one.
    static let updaterLimit = 10
    static let ancient = "ancient-changes"
    static let beforeFirstApply = "before-first-apply"
    /// What no manager owns: the server's, and what names the object.
    private static let unowned = [
        ["f:apiVersion"], ["f:kind"], ["f:metadata", "f:name"], ["f:metadata", "f:namespace"],
        ["f:metadata", "f:creationTimestamp"], ["f:metadata", "f:selfLink"], ["f:metadata", "f:uid"],
        ["f:metadata", "f:generation"], ["f:metadata", "f:managedFields"], ["f:metadata", "f:resourceVersion"],
        ["f:metadata", "f:deletionTimestamp"], ["f:metadata", "f:deletionGracePeriodSeconds"],
    ]

    var entries: [Entry]

    public init() { entries = [] }

    public var isEmpty: Bool { entries.isEmpty }

    // MARK: The record

    /// Reads `metadata.managedFields`; entries that cannot be read do not count.
    public init(_ managedFields: JSONValue?) {
        entries = (managedFields?.arrayValue ?? []).compactMap { entry in
            guard let fields = entry["fieldsV1"].flatMap(FieldSet.init(encoded:)), !fields.isEmpty else { return nil }
            let manager = Manager(
                name: entry["manager"]?.stringValue ?? "", applies: entry["operation"]?.stringValue == "Apply",
                apiVersion: entry["apiVersion"]?.stringValue ?? "",
                subresource: entry["subresource"]?.stringValue ?? "")
            return Entry(
                manager: manager, fields: fields,
                time: entry["time"]?.stringValue.flatMap { Timestamp(rfc3339: $0) })
        }
    }

    /// As `metadata.managedFields`; nil when there is nothing to keep.
    public var encoded: JSONValue? {
        guard !entries.isEmpty else { return nil }
        let sorted = entries.sorted { left, right in
            if left.manager.applies != right.manager.applies { return left.manager.applies }
            let (first, second) = (left.time?.seconds ?? 0, right.time?.seconds ?? 0)
            return first != second ? first < second : left.manager.name < right.manager.name
        }
        return .array(
            sorted.map { entry in
                var value: [String: JSONValue] = [
                    "manager": .string(entry.manager.name), "apiVersion": .string(entry.manager.apiVersion),
                    "operation": .string(entry.manager.applies ? "Apply" : "Update"), "fieldsType": "FieldsV1",
                    "fieldsV1": entry.fields.encoded,
                ]
                if let time = entry.time { value["time"] = .string(time.rfc3339) }
                if !entry.manager.subresource.isEmpty { value["subresource"] = .string(entry.manager.subresource) }
                return .object(value)
            })
    }

    func fields(of manager: Manager) -> FieldSet {
        entries.first { $0.manager == manager }?.fields ?? .empty
    }

    mutating func set(_ fields: FieldSet, of manager: Manager, now: Timestamp) {
        if let index = entries.firstIndex(where: { $0.manager == manager }) {
            if fields.isEmpty {
                entries.remove(at: index)
            } else if entries[index].fields != fields {
                entries[index].fields = fields
                entries[index].time = now
            }
        } else if !fields.isEmpty {
            entries.append(Entry(manager: manager, fields: fields, time: now))
        }
    }

    /// Fields that can have an owner.
    static func ownable(_ fields: FieldSet, without parts: [String]) -> FieldSet {
        let left = unowned.reduce(fields) { $0.removing($1) }
        return parts.reduce(left) { $0.removing([FieldStep.field($1)]) }
    }
}
