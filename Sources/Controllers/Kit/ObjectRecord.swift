import KubernetesAPI
import KubernetesClient

/// The metadata of an object of any kind.
struct ObjectRecord: KubernetesResource {
    /// Names the form, not the kind: which kind it is, its source knows.
    static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "meta.k8s.io", version: "v1", kind: "PartialObjectMetadata", plural: "objects", namespaced: true)
    }

    @ZeroIfAbsent var metadata: ObjectMeta

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
