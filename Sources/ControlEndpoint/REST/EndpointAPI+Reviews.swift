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
        case "SubjectAccessReview":
            let spec = try decoded(SubjectAccessReview.self, object).spec
            object["status"] = try encoded(try access(spec))
        case "LocalSubjectAccessReview":
            let spec = try decoded(LocalSubjectAccessReview.self, object).spec
            guard let asked = spec.resourceAttributes, asked.namespace == info.namespace else {
                throw .badRequest("spec.resourceAttributes.namespace must match the namespace of the request")
            }
            object["status"] = try encoded(try access(spec))
        case "SelfSubjectAccessReview":
            let spec = try decoded(SelfSubjectAccessReview.self, object).spec
            object["status"] = try encoded(
                try access(identity, spec.resourceAttributes, spec.nonResourceAttributes))
        case "SelfSubjectRulesReview":
            let namespace = try decoded(SelfSubjectRulesReview.self, object).spec.namespace ?? ""
            guard !namespace.isEmpty else { throw .badRequest("no namespace on request") }
            object["status"] = try encoded(rules(identity, namespace))
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

    private func access(_ spec: SubjectAccessReviewSpec) throws(APIStatusError) -> SubjectAccessReviewStatus {
        let (user, groups) = (spec.user ?? "", spec.groups ?? [])
        guard !user.isEmpty || !groups.isEmpty else {
            throw .badRequest("spec: at least one of user or group must be specified")
        }
        return try access(
            Identity(name: user, groups: Set(groups)), spec.resourceAttributes, spec.nonResourceAttributes)
    }

    private func access(
        _ identity: Identity, _ resource: ResourceAttributes?, _ path: NonResourceAttributes?
    ) throws(APIStatusError) -> SubjectAccessReviewStatus {
        let asked: AccessRequest
        switch (resource, path) {
        case (let resource?, nil): asked = AccessRequest(resource)
        case (nil, let path?): asked = AccessRequest(path)
        case (nil, nil), (_?, _?):
            throw .badRequest("spec: exactly one of resourceAttributes or nonResourceAttributes must be specified")
        }
        guard let reason = operations.access.reason(identity, asked) else { return SubjectAccessReviewStatus() }
        return SubjectAccessReviewStatus(allowed: true, reason: reason.isEmpty ? nil : reason)
    }

    private func rules(_ identity: Identity, _ namespace: String) -> SubjectRulesReviewStatus {
        var rules = operations.access.rules.rules(for: identity, namespace: namespace)
        if identity.groups.contains(Identity.mastersGroup) {
            rules.append(PolicyRule(verbs: ["*"], apiGroups: ["*"], resources: ["*"]))
            rules.append(PolicyRule(verbs: ["*"], nonResourceURLs: ["*"]))
        }
        return SubjectRulesReviewStatus(
            resourceRules: rules.filter { ($0.nonResourceURLs ?? []).isEmpty },
            nonResourceRules: rules.filter { !($0.nonResourceURLs ?? []).isEmpty },
            // What a node may do is not written in rules.
            incomplete: identity.nodeName != nil)
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
        guard let pod = operations.store.get(key), pod.part(["spec", "nodeName"])?.stringValue == node else {
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
