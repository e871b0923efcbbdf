import KubernetesAPI
import Synchronization
import Volumes

/// ConfigMaps and Secrets of the namespace `shop` in memory.
final class FakeObjects: VolumeObjectSource {
    private struct State {
        var configMaps: [String: ConfigMap] = [:]
        var secrets: [String: Secret] = [:]
        var tokens: [ServiceAccountTokenKey: String] = [:]
        var isReachable = true
    }

    private let state = Mutex(State())

    func setConfigMap(_ name: String, _ data: [String: String]?) {
        state.withLock { $0.configMaps[name] = data.map { ConfigMap(metadata: ObjectMeta(name: name), data: $0) } }
    }

    func setSecret(_ name: String, _ data: [String: String]) {
        let encoded = data.mapValues { Base64.encode(Array($0.utf8)) }
        state.withLock { $0.secrets[name] = Secret(metadata: ObjectMeta(name: name), data: encoded) }
    }

    func setToken(_ key: ServiceAccountTokenKey, _ token: String?) { state.withLock { $0.tokens[key] = token } }

    func token(_ key: ServiceAccountTokenKey) async throws(VolumeError) -> String {
        guard let token = try reachable().tokens[key] else { throw VolumeError(.sourceUnavailable, "no token") }
        return token
    }

    func setReachable(_ isReachable: Bool) { state.withLock { $0.isReachable = isReachable } }

    func configMap(namespace: String, name: String) async throws(VolumeError) -> ConfigMap? {
        let state = try reachable()
        return namespace == "shop" ? state.configMaps[name] : nil
    }

    func secret(namespace: String, name: String) async throws(VolumeError) -> Secret? {
        let state = try reachable()
        return namespace == "shop" ? state.secrets[name] : nil
    }

    private func reachable() throws(VolumeError) -> State {
        let state = state.withLock { $0 }
        guard state.isReachable else { throw VolumeError(.sourceUnavailable, "connection refused") }
        return state
    }
}
