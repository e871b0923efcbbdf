public import KubernetesAPI

/// Names an object within its kind: what stores and work queues are keyed by.
public struct ObjectKey: Hashable, Sendable, CustomStringConvertible {
    /// Empty for cluster-scoped kinds.
    public var namespace: String
    public var name: String

    public init(namespace: String = "", name: String) {
        self.namespace = namespace
        self.name = name
    }

    /// The key of an object; an object without a name has an empty one.
    public init(_ metadata: ObjectMeta) {
        self.init(namespace: metadata.namespace ?? "", name: metadata.name ?? "")
    }

    /// `namespace/name`, or just the name.
    public var description: String { namespace.isEmpty ? name : "\(namespace)/\(name)" }
}
