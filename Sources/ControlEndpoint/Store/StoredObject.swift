internal import KubernetesAPI

/// One kind of object: its API group and plural name. The version is not part of it: a kind is stored once.
struct ResourceID: Hashable, Sendable, CustomStringConvertible {
    let group: String
    let plural: String

    var description: String { group.isEmpty ? plural : "\(plural).\(group)" }
}

/// Where an object lives. `namespace` is empty for cluster-scoped kinds.
struct ObjectKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    let resource: ResourceID
    let namespace: String
    let name: String

    /// The primary key in the database. No part may contain a slash, so it can be taken apart again.
    var path: String { "/\(resource.group)/\(resource.plural)/\(namespace)/\(name)" }

    init(resource: ResourceID, namespace: String, name: String) {
        self.resource = resource
        self.namespace = namespace
        self.name = name
    }

    /// Takes a primary key apart; nil when it is not one.
    init?(path: String) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 5, parts[0].isEmpty, !parts[2].isEmpty, !parts[4].isEmpty else { return nil }
        self.init(resource: ResourceID(group: parts[1], plural: parts[2]), namespace: parts[3], name: parts[4])
    }

    var description: String { path }

    /// Namespace, then name: the order of lists and of continue tokens.
    static func < (left: ObjectKey, right: ObjectKey) -> Bool {
        (left.namespace, left.name) < (right.namespace, right.name)
    }
}

/// One version of one object, immutable. The encoded form is kept beside the value, so a list or a watch of any number
/// of clients encodes nothing.
final class StoredObject: Sendable {
    let key: ObjectKey
    let uid: String
    let resourceVersion: Int64
    let value: JSONValue
    let json: [UInt8]

    /// Stamps `resourceVersion` into the value's metadata and encodes it.
    init(key: ObjectKey, resourceVersion: Int64, value: JSONValue) {
        var stamped = value
        stamped.set(.string(String(resourceVersion)), at: "metadata", "resourceVersion")
        self.key = key
        self.uid = stamped[path: "metadata", "uid"]?.stringValue ?? ""
        self.resourceVersion = resourceVersion
        self.value = stamped
        self.json = stamped.serialized(sortedKeys: true)
    }

    /// An object as it was read back from the database.
    init(key: ObjectKey, uid: String, resourceVersion: Int64, value: JSONValue, json: [UInt8]) {
        self.key = key
        self.uid = uid
        self.resourceVersion = resourceVersion
        self.value = value
        self.json = json
    }

    var labels: [String: String] { value.stringMap(at: "metadata", "labels") }
    var isBeingDeleted: Bool { value[path: "metadata", "deletionTimestamp"]?.stringValue != nil }
    var finalizers: [String] {
        value[path: "metadata", "finalizers"]?.arrayValue?.compactMap(\.stringValue) ?? []
    }
}
