internal import KubernetesAPI

/// Whether a request may be answered at all.
extension EndpointAPI {
    /// - Parameter info: nil for paths that name no resource: discovery, OpenAPI, the version.
    func authorize(_ identity: Identity, _ info: RequestInfo?, _ request: APIRequest) throws(APIStatusError) {
        guard let info else {
            let verb = request.method == "HEAD" ? "get" : request.method.lowercased()
            let asked = AccessRequest(verb: verb, target: .path(request.path))
            guard operations.access.reason(identity, asked) == nil else { return }
            throw .forbidden(nil, "", "User \"\(identity.name)\" cannot \(verb) path \"\(request.path)\"")
        }
        let asked = AccessRequest(info, fieldSelector: request.query["fieldSelector"])
        guard operations.access.reason(identity, asked) == nil else { return }
        let target = info.subresource.map { "\(info.resource)/\($0)" } ?? info.resource
        let scope = info.namespace.map { "in the namespace \"\($0)\"" } ?? "at the cluster scope"
        throw .forbidden(
            info.resourceID, info.name ?? "",
            "User \"\(identity.name)\" cannot \(info.verb.rawValue) resource \"\(target)\" in API group "
                + "\"\(info.group)\" \(scope)" + (NodeRules.denial(identity, asked).map { ": \($0)" } ?? ""))
    }
}
