/// The answer to a list request: `PodList` for `Item` = ``Pod``.
public struct KubernetesList<Item: KubernetesResource>: Codable, Hashable, Sendable, KindIdentified {
    public static var expectedAPIVersion: String { Item.definition.apiVersion }
    public static var expectedKind: String { Item.definition.kind + "List" }

    @APIVersionOf<KubernetesList<Item>> public var apiVersion: String
    @KindOf<KubernetesList<Item>> public var kind: String
    @ZeroIfAbsent public var metadata: ListMeta
    @ZeroIfAbsent public var items: [Item]

    public init(metadata: ListMeta = ListMeta(), items: [Item] = []) {
        self.metadata = metadata
        self.items = items
    }
}
