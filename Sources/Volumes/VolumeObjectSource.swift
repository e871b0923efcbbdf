public import KubernetesAPI

/// ConfigMaps and Secrets, from whichever control endpoint the pod came from.
public protocol VolumeObjectSource: Sendable {
    /// Nil when there is no such ConfigMap; throws when that cannot be known now.
    func configMap(namespace: String, name: String) async throws(VolumeError) -> ConfigMap?
    /// Nil when there is no such Secret; throws when that cannot be known now.
    func secret(namespace: String, name: String) async throws(VolumeError) -> Secret?
}
