public import KubernetesAPI

/// The names of the ConfigMaps, Secrets and claims, in the pod's namespace, that a part of a pod refers to, and the tokens it wants.
public struct PodObjectNames: Hashable, Sendable {
    public var configMaps: Set<String>
    public var secrets: Set<String>
    public var claims: Set<String>
    public var tokens: Set<ServiceAccountTokenKey>

    public init(
        configMaps: Set<String> = [], secrets: Set<String> = [], claims: Set<String> = [],
        tokens: Set<ServiceAccountTokenKey> = []
    ) {
        self.configMaps = configMaps
        self.secrets = secrets
        self.claims = claims
        self.tokens = tokens
    }

    public mutating func formUnion(_ other: PodObjectNames) {
        configMaps.formUnion(other.configMaps)
        secrets.formUnion(other.secrets)
        claims.formUnion(other.claims)
        tokens.formUnion(other.tokens)
    }
}

/// What those names stood for at one moment: everything that reads them is then a pure function.
public struct PodObjects: Sendable {
    private let configMaps: [String: Result<ConfigMap, VolumeError>]
    private let secrets: [String: Result<Secret, VolumeError>]
    private let claims: [String: Result<ClaimStorage, VolumeError>]
    private let tokens: [ServiceAccountTokenKey: Result<String, VolumeError>]

    public init(
        configMaps: [String: ConfigMap] = [:], secrets: [String: Secret] = [:], claims: [String: ClaimStorage] = [:],
        tokens: [ServiceAccountTokenKey: String] = [:]
    ) {
        self.configMaps = configMaps.mapValues { .success($0) }
        self.secrets = secrets.mapValues { .success($0) }
        self.claims = claims.mapValues { .success($0) }
        self.tokens = tokens.mapValues { .success($0) }
    }

    private init(
        configMaps: [String: Result<ConfigMap, VolumeError>], secrets: [String: Result<Secret, VolumeError>],
        claims: [String: Result<ClaimStorage, VolumeError>],
        tokens: [ServiceAccountTokenKey: Result<String, VolumeError>]
    ) {
        self.configMaps = configMaps
        self.secrets = secrets
        self.claims = claims
        self.tokens = tokens
    }

    /// Reads every object once. One that cannot be read fails only those that ask for it.
    public static func fetch(
        _ names: PodObjectNames, namespace: String, from source: any VolumeObjectSource
    ) async -> PodObjects {
        var configMaps: [String: Result<ConfigMap, VolumeError>] = [:]
        for name in names.configMaps {
            do throws(VolumeError) {
                configMaps[name] = try await source.configMap(namespace: namespace, name: name).map { .success($0) }
            } catch {
                configMaps[name] = .failure(unavailable("configmap", namespace, name, error))
            }
        }
        var secrets: [String: Result<Secret, VolumeError>] = [:]
        for name in names.secrets {
            do throws(VolumeError) {
                secrets[name] = try await source.secret(namespace: namespace, name: name).map { .success($0) }
            } catch {
                secrets[name] = .failure(unavailable("secret", namespace, name, error))
            }
        }
        var claims: [String: Result<ClaimStorage, VolumeError>] = [:]
        for name in names.claims {
            do throws(VolumeError) {
                claims[name] = try await source.claim(namespace: namespace, name: name).map { .success($0) }
            } catch {
                claims[name] = .failure(unavailable("persistentvolumeclaim", namespace, name, error))
            }
        }
        var tokens: [ServiceAccountTokenKey: Result<String, VolumeError>] = [:]
        for key in names.tokens {
            do throws(VolumeError) { tokens[key] = .success(try await source.token(key)) } catch {
                tokens[key] = .failure(error)
            }
        }
        return PodObjects(configMaps: configMaps, secrets: secrets, claims: claims, tokens: tokens)
    }

    private static func unavailable(
        _ kind: String, _ namespace: String, _ name: String, _ error: VolumeError
    ) -> VolumeError {
        VolumeError(
            .sourceUnavailable, "\(kind) \"\(namespace)/\(name)\" cannot be read now: \(error.message)",
            cause: error.cause)
    }

    /// Nil when it does not exist; throws ``VolumeError/Code/sourceUnavailable`` when that is not known.
    public func configMap(_ name: String) throws(VolumeError) -> ConfigMap? { try configMaps[name]?.get() }

    /// Nil when it does not exist; throws ``VolumeError/Code/sourceUnavailable`` when that is not known.
    public func secret(_ name: String) throws(VolumeError) -> Secret? { try secrets[name]?.get() }

    /// Nil when it does not exist; throws ``VolumeError/Code/sourceUnavailable`` when that is not known.
    public func claim(_ name: String) throws(VolumeError) -> ClaimStorage? { try claims[name]?.get() }

    /// Throws ``VolumeError/Code/sourceUnavailable`` when there is none now.
    func token(_ key: ServiceAccountTokenKey) throws(VolumeError) -> String {
        guard let token = tokens[key] else {
            throw VolumeError(.sourceUnavailable, "the token of service account \"\(key.serviceAccount)\" was not read")
        }
        return try token.get()
    }
}

extension PodObjectNames {
    /// What a running pod's files follow: the objects behind the volumes that its containers mount.
    public init(followedBy pod: Pod) {
        self.init()
        guard let layout = try? PodVolumeLayout(stateDirectory: "", pod: pod) else { return }
        for volume in (try? PlannedVolume.all(of: pod, layout: layout, claims: nil, skipsUnknown: true)) ?? []
        where volume.plugin.isRefreshable {
            formUnion(volume.plugin.objectNames(for: pod))
        }
    }
}
