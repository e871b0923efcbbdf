public import KubernetesAPI

/// ConfigMaps, Secrets and the storage of claims, from whichever control endpoint the pod came from.
public protocol VolumeObjectSource: Sendable {
    /// Nil when there is no such ConfigMap; throws when that cannot be known now.
    func configMap(namespace: String, name: String) async throws(VolumeError) -> ConfigMap?
    /// Nil when there is no such Secret; throws when that cannot be known now.
    func secret(namespace: String, name: String) async throws(VolumeError) -> Secret?
    /// Nil when there is no such persistent volume claim; throws when that cannot be known now.
    func claim(namespace: String, name: String) async throws(VolumeError) -> ClaimStorage?
    /// A token that is valid now; ``VolumeError/Code/sourceUnavailable`` when none can be had now.
    func token(_ key: ServiceAccountTokenKey) async throws(VolumeError) -> String
    /// The same with its end, for who is not told of the next one.
    func expiringToken(
        _ key: ServiceAccountTokenKey
    ) async throws(VolumeError) -> (token: String, expiresAt: Timestamp)
    /// What is said of a storage driver; nil when nothing is; throws when that cannot be known now.
    func storageDriver(named name: String) async throws(VolumeError) -> CSIDriver?
    /// The attachment of a volume to this node, by its name; nil when there is none; throws when that cannot be known now.
    func attachment(
        of volume: DriverVolume
    ) async throws(VolumeError) -> (name: String, object: KubernetesAPI.VolumeAttachment?)
    /// The node has done its part of making a claim's volume larger: from now on its pods have that much.
    func expanded(_ growth: DriverVolume.Growth) async throws(VolumeError)
    /// Whether somebody attaches volumes to this node: those whose driver wants it are then not ready before.
    var awaitsAttachments: Bool { get }
}

extension VolumeObjectSource {
    /// No claims.
    public func claim(namespace: String, name: String) async throws(VolumeError) -> ClaimStorage? { nil }

    /// Nothing is said of any driver.
    public func storageDriver(named name: String) async throws(VolumeError) -> CSIDriver? { nil }

    /// Nobody asks for more.
    public func expanded(_ growth: DriverVolume.Growth) async throws(VolumeError) {}

    /// Nobody attaches volumes.
    public var awaitsAttachments: Bool { false }
    public func attachment(
        of volume: DriverVolume
    ) async throws(VolumeError) -> (name: String, object: KubernetesAPI.VolumeAttachment?) { ("", nil) }

    /// No service accounts.
    public func token(_ key: ServiceAccountTokenKey) async throws(VolumeError) -> String {
        throw VolumeError(
            .unsupported, "a static pod may not use a service account: remove the serviceAccountToken source")
    }
    public func expiringToken(
        _ key: ServiceAccountTokenKey
    ) async throws(VolumeError) -> (token: String, expiresAt: Timestamp) {
        throw VolumeError(
            .unsupported, "a static pod may not use a service account, of which the volume's driver wants tokens")
    }
}
