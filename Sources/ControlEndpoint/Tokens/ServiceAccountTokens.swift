internal import KubernetesAPI
internal import Synchronization

/// Issues the tokens of service accounts and tells who is behind one.
final class ServiceAccountTokens: Sendable {
    /// Signatures found good and kept, so that a client's every request does not cost one more check.
    private static let cacheLimit = 1024
    /// Seconds a token stays good after what it is bound to began to go, so that it can end in good order.
    private static let deletionLeeway: Int64 = 60

    let signer: TokenSigner
    private let store: ResourceStore
    private let now: @Sendable () -> Timestamp
    private let verified = Mutex<[String: TokenClaims]>([:])

    init(signer: TokenSigner, store: ResourceStore, now: @escaping @Sendable () -> Timestamp) {
        self.signer = signer
        self.store = store
        self.now = now
    }

    // MARK: Issuing

    /// A token for the service account, good no longer than what it is bound to.
    func issue(
        _ request: TokenRequest, namespace: String, name: String
    ) throws(APIStatusError) -> TokenRequestStatus {
        guard let account = store.get(Self.key("serviceaccounts", namespace, name)) else {
            throw .notFound(ResourceID(group: "", plural: "serviceaccounts"), name)
        }
        let begin = now().seconds
        let (expiry, overflow) = begin.addingReportingOverflow(request.spec.expirationSeconds ?? 3600)
        let audiences = request.spec.audiences ?? []
        var claims = TokenClaims(
            namespace: namespace, serviceAccount: TokenClaims.Reference(name: name, uid: account.uid),
            audiences: audiences.isEmpty ? [TokenClaims.issuer] : audiences, issuedAt: begin,
            expiry: overflow ? .max : expiry, id: UniqueIdentifier.random())
        if let reference = request.spec.boundObjectRef { try bind(&claims, to: reference) }
        do {
            return TokenRequestStatus(
                token: try signer.token(claims: claims.value),
                expirationTimestamp: Timestamp(seconds: claims.expiry))
        } catch {
            throw .internalError("the token cannot be signed: \(error)")
        }
    }

    private func bind(
        _ claims: inout TokenClaims, to reference: BoundObjectReference
    ) throws(APIStatusError) {
        let kind = reference.kind ?? ""
        let name = reference.name ?? ""
        let plurals = ["Pod": "pods", "Secret": "secrets", "Node": "nodes"]
        guard let plural = plurals[kind], reference.apiVersion ?? "v1" == "v1" else {
            throw .badRequest(
                "cannot bind token for serviceaccount \"\(claims.serviceAccount.name)\" to "
                    + "\(reference.apiVersion ?? "")/\(kind): only v1 Pod, Secret and Node can be bound to")
        }
        guard let object = store.get(Self.key(plural, kind == "Node" ? "" : claims.namespace, name)) else {
            throw .notFound(ResourceID(group: "", plural: plural), name)
        }
        if let uid = reference.uid, !uid.isEmpty, uid != object.uid {
            throw .conflict(
                object.key.resource, name,
                "the UID in the bound object reference (\(uid)) does not match the UID in record. The object might "
                    + "have been deleted and then recreated")
        }
        let found = TokenClaims.Reference(name: name, uid: object.uid)
        switch kind {
        case "Pod":
            let account = object.value.string("spec", "serviceAccountName")
            guard (account.isEmpty ? "default" : account) == claims.serviceAccount.name else {
                throw .badRequest(
                    "cannot bind token for serviceaccount \"\(claims.serviceAccount.name)\" to pod running with "
                        + "different serviceaccount name.")
            }
            claims.pod = found
            let nodeName = object.value.string("spec", "nodeName")
            if let node = store.get(Self.key("nodes", "", nodeName)) {
                claims.node = TokenClaims.Reference(name: nodeName, uid: node.uid)
            }
        case "Secret": claims.secret = found
        default: claims.node = found
        }
    }

    // MARK: Believing

    /// Who the token is of, and what it is good for; nil when it proves nothing.
    /// - Parameter audiences: who the asker is; it must be one of those the token is meant for.
    func identity(_ text: String, audiences: [String]) -> (identity: Identity, audiences: [String])? {
        guard let claims = claims(text) else { return nil }
        let time = now().seconds
        let shared = audiences.filter(claims.audiences.contains)
        guard !shared.isEmpty, claims.issuedAt <= time, time < claims.expiry, isStillBound(claims, time) else {
            return nil
        }
        var extra = ["authentication.kubernetes.io/credential-id": ["JTI=\(claims.id)"]]
        for (name, reference) in [("pod", claims.pod), ("node", claims.node)] {
            guard let reference else { continue }
            extra["authentication.kubernetes.io/\(name)-name"] = [reference.name]
            extra["authentication.kubernetes.io/\(name)-uid"] = [reference.uid]
        }
        let identity = Identity(
            name: claims.subject,
            groups: ["system:serviceaccounts", "system:serviceaccounts:\(claims.namespace)"], expiry: claims.expiry,
            uid: claims.serviceAccount.uid, extra: extra)
        return (identity, shared)
    }

    /// The claims of a token this endpoint signed.
    private func claims(_ text: String) -> TokenClaims? {
        if let known = verified.withLock({ $0[text] }) { return known }
        guard let token = JSONWebToken(text), signer.signed(token), let claims = TokenClaims(token.claims) else {
            return nil
        }
        verified.withLock { verified in
            if verified.count >= Self.cacheLimit { verified.removeAll(keepingCapacity: true) }
            verified[text] = claims
        }
        return claims
    }

    private func isStillBound(_ claims: TokenClaims, _ time: Int64) -> Bool {
        let namespace = claims.namespace
        guard exists("serviceaccounts", namespace, claims.serviceAccount, time) else { return false }
        if let pod = claims.pod, !exists("pods", namespace, pod, time) { return false }
        if let secret = claims.secret, !exists("secrets", namespace, secret, time) { return false }
        // Beside a pod the node is only said; alone it is what the token is bound to.
        if let node = claims.node, claims.pod == nil, !exists("nodes", "", node, time) { return false }
        return true
    }

    private func exists(_ plural: String, _ namespace: String, _ reference: TokenClaims.Reference, _ time: Int64)
        -> Bool
    {
        guard let object = store.get(Self.key(plural, namespace, reference.name)), object.uid == reference.uid else {
            return false
        }
        let mark = object.part(["metadata", "deletionTimestamp"])?.stringValue ?? ""
        guard !mark.isEmpty else { return true }
        guard let due = Timestamp(rfc3339: mark)?.seconds else { return false }
        return time < due.addingReportingOverflow(Self.deletionLeeway).partialValue
    }

    private static func key(_ plural: String, _ namespace: String, _ name: String) -> ObjectKey {
        ObjectKey(resource: ResourceID(group: "", plural: plural), namespace: namespace, name: name)
    }

    // MARK: Verifiers elsewhere

    /// `/openid/v1/jwks` and the document that leads there; nil for other paths.
    func answer(_ request: APIRequest) -> APIResponse? {
        switch request.path {
        case "/openid/v1/jwks": return .json(signer.publicKeySet, contentType: "application/jwk-set+json")
        case "/.well-known/openid-configuration":
            return .json([
                "issuer": .string(TokenClaims.issuer), "jwks_uri": .string("\(TokenClaims.issuer)/openid/v1/jwks"),
                "response_types_supported": ["id_token"], "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [.string(TokenSigner.algorithm)],
            ])
        default: return nil
        }
    }
}
