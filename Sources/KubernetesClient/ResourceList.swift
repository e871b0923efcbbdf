public import KubernetesAPI

/// A complete list: every page has arrived.
public struct ResourceList<T: KubernetesResource>: Sendable, Hashable {
    public var items: [T]
    /// Items that do not fit the type; the others are unaffected.
    public var undecodable: [UndecodableObject]
    /// The state of the store the list shows; a watch continues from here.
    public var resourceVersion: String

    public init(items: [T], undecodable: [UndecodableObject] = [], resourceVersion: String) {
        self.items = items
        self.undecodable = undecodable
        self.resourceVersion = resourceVersion
    }
}
