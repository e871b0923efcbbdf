import KubernetesAPI
import KubernetesClient

/// What decides on the life of an object of any kind: of its metadata the identity, the owners and the signs of its end. Nothing else
/// of it is kept: there is one for every object of the server.
struct ObjectRecord: KubernetesResource {
    /// Names the form, not the kind: which kind it is, its source knows.
    static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "meta.k8s.io", version: "v1", kind: "PartialObjectMetadata", plural: "objects", namespaced: true)
    }

    var metadata: ObjectMeta

    private enum CodingKeys: CodingKey { case metadata }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let whole = try container.decodeIfPresent(ObjectMeta.self, forKey: .metadata) ?? ObjectMeta()
        metadata = ObjectMeta(
            name: whole.name, namespace: whole.namespace, uid: whole.uid, resourceVersion: whole.resourceVersion,
            deletionTimestamp: whole.deletionTimestamp, ownerReferences: whole.ownerReferences,
            finalizers: whole.finalizers)
    }

    func node(_ kind: ResourceDefinition) -> GarbageGraph.Node {
        GarbageGraph.Node(
            definition: kind, key: ObjectKey(metadata), uid: metadata.uid ?? "",
            resourceVersion: metadata.resourceVersion ?? "", owners: metadata.ownerReferences ?? [],
            finalizers: metadata.finalizers ?? [], isLeaving: metadata.deletionTimestamp != nil)
    }
}

/// The collection of one kind that is known only by its definition.
struct ObjectRecordSource: ResourceSource {
    let client: APIClient
    let definition: ResourceDefinition

    func list(resourceVersion: String) async throws(APIError) -> ResourceList<ObjectRecord> {
        try await client.list(ObjectRecord.self, at: definition.path(), resourceVersion: resourceVersion)
    }

    func watch(
        resourceVersion: String, timeoutSeconds: Int
    ) -> AsyncThrowingStream<ResourceWatchEvent<ObjectRecord>, any Error> {
        client.watch(
            ObjectRecord.self, at: definition.path(), resourceVersion: resourceVersion, timeoutSeconds: timeoutSeconds)
    }
}
