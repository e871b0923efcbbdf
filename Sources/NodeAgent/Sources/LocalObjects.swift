public import KubernetesAPI
import Synchronization

/// The ConfigMaps and Secrets that manifest files on this node define, for pods to use.
public final class LocalObjects: Sendable {
    private struct State {
        var configMaps: [String: ConfigMap] = [:]
        var secrets: [String: Secret] = [:]
    }

    private let state = Mutex(State())

    public init() {}

    public func configMap(namespace: String, name: String) -> ConfigMap? {
        state.withLock { $0.configMaps["\(namespace)/\(name)"] }
    }

    public func secret(namespace: String, name: String) -> Secret? {
        state.withLock { $0.secrets["\(namespace)/\(name)"] }
    }

    /// Keys are `namespace/name`.
    func replace(configMaps: [String: ConfigMap], secrets: [String: Secret]) {
        state.withLock { $0 = State(configMaps: configMaps, secrets: secrets) }
    }
}
