public import KubernetesAPI
import Synchronization
public import Volumes

/// The ConfigMaps, Secrets and persistent volume claims that manifest files on this node define, for pods to use.
public final class LocalObjects: Sendable {
    private struct State {
        var configMaps: [String: ConfigMap] = [:]
        var secrets: [String: Secret] = [:]
        /// Nil until all files were read: what a claim is bound to may be in another one.
        var claims: [String: ClaimStorage]?
    }

    private let state = Mutex(State())
    /// Something of them is another than before. For one consumer.
    public let changes: AsyncStream<Void>
    private let change: AsyncStream<Void>.Continuation

    public init() {
        (changes, change) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    public func configMap(namespace: String, name: String) -> ConfigMap? {
        state.withLock { $0.configMaps["\(namespace)/\(name)"] }
    }

    public func secret(namespace: String, name: String) -> Secret? {
        state.withLock { $0.secrets["\(namespace)/\(name)"] }
    }

    /// Where the claim's files are. Throws before the manifests were read for the first time.
    public func claim(namespace: String, name: String) throws(VolumeError) -> ClaimStorage? {
        guard let claims = state.withLock({ $0.claims }) else {
            throw VolumeError(.sourceUnavailable, "the node's manifests have not been read yet")
        }
        return claims["\(namespace)/\(name)"]
    }

    /// Keys are `namespace/name`.
    func replace(configMaps: [String: ConfigMap], secrets: [String: Secret], claims: [String: ClaimStorage]) {
        let isNews = state.withLock { state in
            let isNews = state.configMaps != configMaps || state.secrets != secrets
            state = State(configMaps: configMaps, secrets: secrets, claims: claims)
            return isNews
        }
        if isNews { change.yield() }
    }
}
