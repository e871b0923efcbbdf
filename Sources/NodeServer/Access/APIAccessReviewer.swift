import KubernetesAPI
public import KubernetesClient

/// Asks an API server: TokenReview and SubjectAccessReview, as kubelet does.
public struct APIAccessReviewer: AccessReviewer {
    private let client: APIClient
    private let nodeName: String
    private let certificates: @Sendable (_ certificateDER: [UInt8]) async -> NodeCaller?

    /// - Parameter certificates: who the holder of a certificate is; nil for one that proves nothing here.
    public init(
        client: APIClient, nodeName: String,
        certificates: @escaping @Sendable (_ certificateDER: [UInt8]) async -> NodeCaller?
    ) {
        self.client = client
        self.nodeName = nodeName
        self.certificates = certificates
    }

    public func caller(certificateDER: [UInt8]) async -> NodeCaller? { await certificates(certificateDER) }

    public func caller(token: String) async throws -> NodeCaller? {
        Self.caller(try await client.create(TokenReview(spec: TokenReviewSpec(token: token))).status)
    }

    static func caller(_ status: TokenReviewStatus?) -> NodeCaller? {
        guard status?.authenticated == true, let user = status?.user, let name = user.username, !name.isEmpty else {
            return nil
        }
        return NodeCaller(name: name, uid: user.uid ?? "", groups: Set(user.groups ?? []), extra: user.extra ?? [:])
    }

    public func allows(_ caller: NodeCaller, verb: String, subresource: String) async throws -> Bool {
        let spec = Self.question(caller, verb: verb, subresource: subresource, nodeName: nodeName)
        let status = try await client.create(SubjectAccessReview(spec: spec)).status
        return status?.allowed == true && status?.denied != true
    }

    static func question(
        _ caller: NodeCaller, verb: String, subresource: String, nodeName: String
    ) -> SubjectAccessReviewSpec {
        SubjectAccessReviewSpec(
            resourceAttributes: ResourceAttributes(
                verb: verb, version: "v1", resource: "nodes", subresource: subresource, name: nodeName),
            user: caller.name, groups: caller.groups.sorted(), extra: caller.extra.isEmpty ? nil : caller.extra,
            uid: caller.uid.isEmpty ? nil : caller.uid)
    }
}
