internal import KubernetesAPI
internal import Synchronization

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

/// One version of one object, immutable. It is kept as it is sent, so a list or a watch of any number of clients encodes
/// nothing; the value, which takes some eight times as much, is read from that when it is asked for, and kept only while
/// the object is new.
final class StoredObject: Sendable {
    let key: ObjectKey
    let uid: String
    let resourceVersion: Int64
    let json: [UInt8]
    private let recent: Mutex<JSONValue?>

    /// Stamps `resourceVersion` into the value's metadata and encodes it.
    init(key: ObjectKey, resourceVersion: Int64, value: JSONValue) {
        var stamped = value
        stamped.set(.string(String(resourceVersion)), at: "metadata", "resourceVersion")
        self.key = key
        self.uid = stamped[path: "metadata", "uid"]?.stringValue ?? ""
        self.resourceVersion = resourceVersion
        self.json = stamped.serialized(sortedKeys: true)
        recent = Mutex(stamped)
    }

    /// An object as it was read back from the database.
    /// - Parameter json: has been read once, so that it is known to be a document.
    init(key: ObjectKey, uid: String, resourceVersion: Int64, json: [UInt8]) {
        self.key = key
        self.uid = uid
        self.resourceVersion = resourceVersion
        self.json = json
        recent = Mutex(nil)
    }

    /// The object as a value.
    var value: JSONValue {
        if let known = recent.withLock({ $0 }) { return known }
        return (try? JSONValue(parsing: json)) ?? .null
    }

    /// The same with its value at hand, for a request that looks into it more than once.
    func readOnce() -> StoredObject {
        if keepsValue { return self }
        let copy = StoredObject(key: key, uid: uid, resourceVersion: resourceVersion, json: json)
        let value = value
        copy.recent.withLock { $0 = value }
        return copy
    }

    /// One part of the value, without reading the others.
    func part(_ path: [String]) -> JSONValue? {
        if let known = recent.withLock({ $0 }) { return known[path: path] }
        return JSONValue.part(path, of: json)
    }

    /// Whether the value is at hand.
    var keepsValue: Bool { recent.withLock { $0 != nil } }

    /// Lets go of the value; from now on it is read from the JSON.
    func forgetValue() { recent.withLock { $0 = nil } }

    var labels: [String: String] {
        guard case .object(let members)? = part(["metadata", "labels"]) else { return [:] }
        return members.compactMapValues(\.stringValue)
    }
    var isBeingDeleted: Bool { part(["metadata", "deletionTimestamp"])?.stringValue != nil }
    var finalizers: [String] {
        part(["metadata", "finalizers"])?.arrayValue?.compactMap(\.stringValue) ?? []
    }
}
