/// An object reduced to its type and metadata.
public struct PartialObjectMetadata: Codable, Hashable, Sendable, KindIdentified {
    public static var expectedAPIVersion: String { "meta.k8s.io/v1" }
    public static var expectedKind: String { "PartialObjectMetadata" }

    @APIVersionOf<PartialObjectMetadata> public var apiVersion: String
    @KindOf<PartialObjectMetadata> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta

    public init(metadata: ObjectMeta = ObjectMeta()) {
        self.metadata = metadata
    }
}
