import ContainerImages
public import KubernetesAPI
public import KubernetesClient
public import Volumes

/// ConfigMaps, Secrets, claims and tokens for pods: for pods of manifest files the objects of manifest files first, and else those
/// of the API. Their claims are those of manifest files only, and they have no service accounts.
///
/// What is in a file of this node's stays out of reach of pods that anybody may create through the API.
public struct NodeObjects: VolumeObjectSource {
    private let local: LocalObjects?
    private let client: APIClient
    private let followed: FollowedObjects?
    private let tokens: ServiceAccountTokens?
    private let claims: (any ClaimSource)?
    private let nodeName: String
    public let awaitsAttachments: Bool
    /// Answers from what was heard of a followed object, where the server need not be asked.
    private let prefersFollowed: Bool
    private static let rootCertificateName = "kube-root-ca.crt"

    /// - Parameters:
    ///   - local: nil for pods of the API.
    ///   - followed: told of what the server says when it is asked.
    ///   - tokens: nil for pods of manifest files.
    ///   - claims: where the claims of the API's pods are; nil for pods of manifest files.
    ///   - awaitsAttachments: the server belongs to a cluster, in which a controller attaches volumes to nodes.
    public init(
        local: LocalObjects?, client: APIClient, followed: FollowedObjects? = nil, tokens: ServiceAccountTokens? = nil,
        claims: (any ClaimSource)? = nil, nodeName: String, awaitsAttachments: Bool
    ) {
        self.local = local
        self.client = client
        self.followed = followed
        self.tokens = tokens
        self.claims = claims
        self.nodeName = nodeName
        self.awaitsAttachments = awaitsAttachments
        prefersFollowed = false
    }

    private init(following source: NodeObjects) {
        (local, client, followed) = (source.local, source.client, source.followed)
        (tokens, claims, nodeName) = (source.tokens, source.claims, source.nodeName)
        awaitsAttachments = source.awaitsAttachments
        prefersFollowed = true
    }

    /// The same for files that follow their objects: asks the server only for what is not watched yet.
    public var following: NodeObjects { NodeObjects(following: self) }

    public func configMap(namespace: String, name: String) async throws(VolumeError) -> ConfigMap? {
        if let object = local?.configMap(namespace: namespace, name: name) { return object }
        let key = ObjectKey(namespace: namespace, name: name)
        // Nearly every pod has this one, and it changes with the authority only: not asked for again for each of them.
        if prefersFollowed || name == Self.rootCertificateName, let followed {
            switch followed.knowledge(of: key) as ObjectWatch<ConfigMap>.Knowledge {
            case .present(let object): return object
            case .absent: return nil
            case .unknown: break
            }
        }
        let object = try await get(ConfigMap.self, key)
        followed?.note(object, at: key)
        return object
    }

    public func secret(namespace: String, name: String) async throws(VolumeError) -> Secret? {
        if let object = local?.secret(namespace: namespace, name: name) { return object }
        let key = ObjectKey(namespace: namespace, name: name)
        if prefersFollowed, let followed {
            switch followed.knowledge(of: key) as ObjectWatch<Secret>.Knowledge {
            case .present(let object): return object
            case .absent: return nil
            case .unknown: break
            }
        }
        let object = try await get(Secret.self, key)
        followed?.note(object, at: key)
        return object
    }

    public func claim(namespace: String, name: String) async throws(VolumeError) -> ClaimStorage? {
        if let local { return try local.claim(namespace: namespace, name: name) }
        return try await claims?.claim(namespace: namespace, name: name)
    }

    public func token(_ key: ServiceAccountTokenKey) async throws(VolumeError) -> String {
        guard let tokens, local == nil else {
            throw VolumeError(
                .unsupported, "a static pod may not use a service account: remove the serviceAccountToken source")
        }
        return try await tokens.token(key)
    }

    public func expiringToken(
        _ key: ServiceAccountTokenKey
    ) async throws(VolumeError) -> (token: String, expiresAt: Timestamp) {
        guard let tokens, local == nil else {
            throw VolumeError(
                .unsupported, "a static pod may not use a service account, of which the volume's driver wants tokens")
        }
        let term = try await tokens.term(key)
        return (term.token, term.expiresAt)
    }

    public func storageDriver(named name: String) async throws(VolumeError) -> CSIDriver? {
        try await get(CSIDriver.self, ObjectKey(name: name))
    }

    public func expanded(_ growth: DriverVolume.Growth) async throws(VolumeError) {
        try await claims?.expanded(growth)
    }

    public func attachment(
        of volume: DriverVolume
    ) async throws(VolumeError) -> (name: String, object: VolumeAttachment?) {
        let name = Self.attachmentName(of: volume, node: nodeName)
        return (name, try await get(VolumeAttachment.self, ObjectKey(name: name)))
    }

    /// As the controller that makes them names them.
    static func attachmentName(of volume: DriverVolume, node: String) -> String {
        "csi-" + ContentDigest(of: Array((volume.handle + volume.driver + node).utf8)).hexadecimal
    }

    private func get<T: KubernetesResource>(_ type: T.Type, _ key: ObjectKey) async throws(VolumeError) -> T? {
        do throws(APIError) { return try await client.get(type, namespace: key.namespace, name: key.name) } catch {
            if error.isNotFound { return nil }
            throw VolumeError(.sourceUnavailable, "\(T.definition.singular) \"\(key.name)\": \(error.message)")
        }
    }
}

/// Where the storage of claims that the API has is found.
public protocol ClaimSource: Sendable {
    /// Nil when there is no such claim; throws when that cannot be known now.
    func claim(namespace: String, name: String) async throws(VolumeError) -> ClaimStorage?
    /// The node has done its part of making a claim's volume larger.
    func expanded(_ growth: DriverVolume.Growth) async throws(VolumeError)
}
