public import KubernetesAPI
public import KubernetesClient
public import Volumes

/// ConfigMaps, Secrets and claims for pods: for pods of manifest files those of manifest files first, and else those of the API.
/// Claims are those of manifest files only.
///
/// What is in a file of this node's stays out of reach of pods that anybody may create through the API.
public struct NodeObjects: VolumeObjectSource {
    private let local: LocalObjects?
    private let client: APIClient

    /// - Parameter local: nil for pods of the API.
    public init(local: LocalObjects?, client: APIClient) {
        self.local = local
        self.client = client
    }

    public func configMap(namespace: String, name: String) async throws(VolumeError) -> ConfigMap? {
        if let object = local?.configMap(namespace: namespace, name: name) { return object }
        return try await get(ConfigMap.self, namespace, name)
    }

    public func secret(namespace: String, name: String) async throws(VolumeError) -> Secret? {
        if let object = local?.secret(namespace: namespace, name: name) { return object }
        return try await get(Secret.self, namespace, name)
    }

    public func claim(namespace: String, name: String) async throws(VolumeError) -> ClaimStorage? {
        try local?.claim(namespace: namespace, name: name)
    }

    private func get<T: KubernetesResource>(
        _ type: T.Type, _ namespace: String, _ name: String
    ) async throws(VolumeError) -> T? {
        do throws(APIError) { return try await client.get(type, namespace: namespace, name: name) } catch {
            if error.isNotFound { return nil }
            throw VolumeError(.sourceUnavailable, "\(T.definition.singular) \"\(name)\": \(error.message)")
        }
    }
}
