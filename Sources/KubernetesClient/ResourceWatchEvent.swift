public import KubernetesAPI

/// One line of a watch.
public enum ResourceWatchEvent<T: KubernetesResource>: Sendable, Hashable {
    case added(T)
    case modified(T)
    case deleted(T)
    /// Nothing changed up to this resource version.
    case bookmark(resourceVersion: String)
    /// A change of an object this client cannot read; the watch goes on.
    case undecodable(UndecodableObject, change: Change)

    /// What happened to an object that cannot be read.
    public enum Change: String, Sendable, Hashable { case added, modified, deleted }
}

/// An object the server sent which does not fit its type. Whoever keeps a copy of it keeps the last readable one.
public struct UndecodableObject: Sendable, Hashable {
    /// Absent when not even the name could be read.
    public var key: ObjectKey?
    public var uid: String?
    public var resourceVersion: String?
    /// Why, naming the field.
    public var message: String

    public init(key: ObjectKey?, uid: String?, resourceVersion: String?, message: String) {
        self.key = key
        self.uid = uid
        self.resourceVersion = resourceVersion
        self.message = message
    }

    init(_ value: JSONValue, reason: String) {
        let metadata = value["metadata"]
        let name = metadata?["name"]?.stringValue ?? ""
        self.init(
            key: name.isEmpty ? nil : ObjectKey(namespace: metadata?["namespace"]?.stringValue ?? "", name: name),
            uid: metadata?["uid"]?.stringValue, resourceVersion: metadata?["resourceVersion"]?.stringValue,
            message: reason)
    }
}
