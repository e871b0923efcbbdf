/// What a request asks for, read from its method and path.
struct RequestInfo: Hashable, Sendable {
    enum Verb: String, Sendable {
        case get, list, watch, create, update, patch, delete, deletecollection
    }

    var verb: Verb
    var group: String
    var version: String
    /// Nil for cluster-scoped kinds and for requests over all namespaces.
    var namespace: String?
    /// Plural name of the kind.
    var resource: String
    var name: String?
    var subresource: String?
    /// What follows `proxy` in the path, as sent: the path there. Nil for everything else.
    var proxyPath: String?

    var resourceID: ResourceID { ResourceID(group: group, plural: resource) }

    /// Nil when the path names no resource: discovery, health and the like.
    init?(method: String, path: String, isWatch: Bool) throws(APIStatusError) {
        let (path, proxyPath) = Self.split(path)
        self.proxyPath = proxyPath
        var parts: [String] = []
        for raw in path.split(separator: "/", omittingEmptySubsequences: true) {
            guard let part = PercentEncoding.decode(raw, plusIsSpace: false), !part.contains("/"), part != "..",
                part != ".", !part.utf8.contains(0)
            else { throw .badRequest("the path \"\(path)\" holds an invalid segment") }
            parts.append(part)
        }
        guard let root = parts.first else { return nil }
        var rest: ArraySlice<String>
        switch root {
        case "api" where parts.count >= 3:
            (group, version, rest) = ("", parts[1], parts[2...])
        case "apis" where parts.count >= 4:
            (group, version, rest) = (parts[1], parts[2], parts[3...])
        default: return nil
        }
        // The old form of a watch: /api/v1/watch/pods. kubectl does not use it any more; it is read as its successor.
        let isOldWatch = rest.first == "watch" && rest.count > 1
        if isOldWatch { rest = rest.dropFirst() }
        if rest.first == "namespaces", rest.count >= 3, !Self.namespaceSubresources.contains(rest[rest.startIndex + 2])
        {
            namespace = rest[rest.startIndex + 1]
            rest = rest.dropFirst(2)
        }
        guard let kind = rest.popFirst(), rest.count <= 2 else { throw .pathNotFound }
        resource = kind
        name = rest.popFirst()
        subresource = rest.popFirst()
        // Of what is passed on, the query is for whoever gets it.
        verb = try Self.verb(method, hasName: name != nil, isWatch: (isWatch && proxyPath == nil) || isOldWatch)
    }

    /// Parts a path into what is the API's and what is for those behind `proxy`, who may have any path.
    private static func split(_ path: String) -> (own: String, proxied: String?) {
        let parts = path.split(separator: "/", maxSplits: 8, omittingEmptySubsequences: false)
        // "", api, v1, namespaces, NAMESPACE, pods, NAME, proxy, rest; or "", api, v1, nodes, NAME, proxy, rest.
        guard parts.count > 5, parts[1] == "api" else { return (path, nil) }
        let place = parts[3] == "namespaces" ? 7 : 5
        guard parts.count > place, parts[place] == "proxy" else { return (path, nil) }
        let end = parts[place].endIndex
        return (String(path[..<end]), String(path[end...]))
    }

    /// Below a namespace's own name these are its subresources, not kinds inside it.
    private static let namespaceSubresources: Set<String> = ["status", "finalize"]

    private static func verb(_ method: String, hasName: Bool, isWatch: Bool) throws(APIStatusError) -> Verb {
        switch (method, hasName) {
        case ("GET", _) where isWatch, ("HEAD", _) where isWatch: return .watch
        case ("GET", true), ("HEAD", true): return .get
        case ("GET", false), ("HEAD", false): return .list
        case ("POST", _): return .create
        case ("PUT", true): return .update
        case ("PATCH", true): return .patch
        case ("DELETE", true): return .delete
        case ("DELETE", false): return .deletecollection
        default: throw .methodNotAllowed
        }
    }
}
