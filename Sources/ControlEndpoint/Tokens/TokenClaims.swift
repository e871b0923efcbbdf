internal import KubernetesAPI

/// What a service account's token says: for whom, by whom, until when, and what must still exist.
struct TokenClaims: Hashable, Sendable {
    static let issuer = "https://kubernetes.default.svc.cluster.local"

    struct Reference: Hashable, Sendable {
        var name: String
        var uid: String

        var value: JSONValue { ["name": .string(name), "uid": .string(uid)] }

        init(name: String, uid: String) {
            self.name = name
            self.uid = uid
        }

        init?(_ value: JSONValue?) {
            guard let name = value?["name"]?.stringValue, let uid = value?["uid"]?.stringValue, !name.isEmpty,
                !uid.isEmpty
            else { return nil }
            self.init(name: name, uid: uid)
        }
    }

    var namespace: String
    var serviceAccount: Reference
    var audiences: [String]
    /// Seconds since 1970.
    var issuedAt: Int64
    var expiry: Int64
    /// Names this one token.
    var id: String
    var pod: Reference?
    var secret: Reference?
    var node: Reference?

    var value: JSONValue {
        var bound: JSONValue = [
            "namespace": .string(namespace), "serviceaccount": serviceAccount.value,
        ]
        if let pod { bound["pod"] = pod.value }
        if let secret { bound["secret"] = secret.value }
        if let node { bound["node"] = node.value }
        return [
            "iss": .string(Self.issuer), "sub": .string(subject), "aud": .array(audiences.map(JSONValue.string)),
            "iat": .integer(issuedAt), "nbf": .integer(issuedAt), "exp": .integer(expiry), "jti": .string(id),
            "kubernetes.io": bound,
        ]
    }

    var subject: String { Identity.serviceAccountPrefix + "\(namespace):\(serviceAccount.name)" }

    /// Nil when anything that makes a token ours is missing.
    init?(_ value: JSONValue) {
        guard value.string("iss") == Self.issuer, let expiry = value["exp"]?.intValue,
            let issuedAt = value["iat"]?.intValue, let begin = value["nbf"]?.intValue, begin <= expiry,
            let bound = value["kubernetes.io"],
            let serviceAccount = Reference(bound["serviceaccount"])
        else { return nil }
        self.init(
            namespace: bound.string("namespace"), serviceAccount: serviceAccount,
            audiences: value.list("aud").compactMap(\.stringValue), issuedAt: max(issuedAt, begin), expiry: expiry,
            id: value.string("jti"))
        for (name, path) in [("pod", \Self.pod), ("secret", \Self.secret), ("node", \Self.node)] {
            guard let given = bound[name], !given.isNull else { continue }
            // A reference that cannot be read must not make the token bound to less.
            guard let reference = Reference(given) else { return nil }
            self[keyPath: path] = reference
        }
        guard !namespace.isEmpty, value.string("sub") == subject else { return nil }
    }

    init(
        namespace: String, serviceAccount: Reference, audiences: [String], issuedAt: Int64, expiry: Int64, id: String
    ) {
        self.namespace = namespace
        self.serviceAccount = serviceAccount
        self.audiences = audiences
        self.issuedAt = issuedAt
        self.expiry = expiry
        self.id = id
    }
}
