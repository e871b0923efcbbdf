internal import KubernetesAPI

/// Questions that are answered and not stored: who is behind a token, who am I; and the tokens themselves.
extension EndpointAPI {
    func review(
        _ request: APIRequest, _ info: RequestInfo, _ resource: RegisteredResource, _ identity: Identity
    ) throws(APIStatusError) -> APIResponse {
        guard info.subresource == nil else { throw .pathNotFound }
        guard info.verb == .create, info.name == nil else { throw .methodNotAllowed }
        let options = try WriteOptions(request.query)
        var (object, _) = try operations.checkedBody(try body(of: request), for: resource, options: options)
        let (value, problems) = try resource.normalize(object)
        guard problems.isEmpty else { throw .invalid(resource.definition, "", problems) }
        object = value
        switch resource.definition.kind {
        case "TokenReview": object["status"] = try encoded(tokenReviewStatus(try decoded(TokenReview.self, object)))
        case "SelfSubjectReview": object["status"] = ["userInfo": try encoded(userInfo(identity))]
        default: throw .pathNotFound
        }
        return .json(object, status: 201)
    }

    private func tokenReviewStatus(_ review: TokenReview) throws(APIStatusError) -> TokenReviewStatus {
        guard let token = review.spec.token, !token.isEmpty else {
            throw .badRequest("token is required for TokenReview in authentication")
        }
        let audiences = review.spec.audiences ?? []
        let asked = audiences.isEmpty ? [TokenClaims.issuer] : audiences
        guard let (identity, shared) = tokens.identity(token, audiences: asked) else {
            return TokenReviewStatus(authenticated: false, error: "the token is not valid here")
        }
        return TokenReviewStatus(authenticated: true, user: userInfo(identity), audiences: shared)
    }

    func userInfo(_ identity: Identity) -> UserInfo {
        UserInfo(
            username: identity.name, uid: identity.uid.isEmpty ? nil : identity.uid,
            groups: identity.allGroups.sorted(), extra: identity.extra.isEmpty ? nil : identity.extra)
    }

    /// `serviceaccounts/NAME/token`.
    func createToken(
        _ request: APIRequest, _ info: RequestInfo, _ identity: Identity
    ) throws(APIStatusError) -> APIResponse {
        var object = try body(of: request)
        object["kind"] = .string(TokenRequest.definition.kind)
        object["apiVersion"] = .string(TokenRequest.definition.apiVersion)
        var asked = try decoded(TokenRequest.self, object)
        asked.applyDefaults()
        let name = try name(info)
        let problems = asked.validate()
        guard problems.isEmpty else { throw .invalid(TokenRequest.definition, name, problems) }
        let namespace = info.namespace ?? "default"
        if let node = identity.nodeName { try checkNodeMayAsk(asked, namespace: namespace, node: node) }
        asked.metadata.name = name
        asked.metadata.namespace = namespace
        asked.metadata.creationTimestamp = operations.now
        if (asked.spec.audiences ?? []).isEmpty { asked.spec.audiences = [TokenClaims.issuer] }
        if try WriteOptions(request.query).isDryRun { return .json(try encoded(asked), status: 201) }
        asked.status = try tokens.issue(asked, namespace: namespace, name: name)
        return .json(try encoded(asked), status: 201)
    }

    /// A node asks only for tokens of the pods it runs, bound to them.
    private func checkNodeMayAsk(
        _ asked: TokenRequest, namespace: String, node: String
    ) throws(APIStatusError) {
        let resource = ResourceID(group: "", plural: "serviceaccounts")
        guard let reference = asked.spec.boundObjectRef, reference.kind == "Pod", let uid = reference.uid, !uid.isEmpty
        else {
            throw .forbidden(resource, "", "node requested token not bound to a pod, with its uid")
        }
        let key = ObjectKey(
            resource: ResourceID(group: "", plural: "pods"), namespace: namespace, name: reference.name ?? "")
        guard let pod = operations.store.get(key), pod.value.string("spec", "nodeName") == node else {
            throw .forbidden(resource, "", "node requested token bound to a pod scheduled on a different node")
        }
    }

    private func decoded<T: Decodable>(_ type: T.Type, _ value: JSONValue) throws(APIStatusError) -> T {
        do { return try JSONValueDecoder().decode(type, from: value) } catch {
            throw .badRequest("the body cannot be handled as a \(type): \(error)")
        }
    }

    private func encoded(_ value: some Encodable) throws(APIStatusError) -> JSONValue {
        do { return try JSONValueEncoder().encode(value) } catch { throw .internalError("\(error)") }
    }
}
