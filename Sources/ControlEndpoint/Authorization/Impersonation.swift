/// Somebody acting as somebody else (`kubectl --as`): the headers `Impersonate-*` of a request.
struct Impersonation: Hashable, Sendable {
    private static let prefix = "impersonate-"
    private static let extraPrefix = "impersonate-extra-"

    var user = ""
    var groups: [String] = []
    var uid = ""
    var extra: [String: [String]] = [:]

    init(user: String = "", groups: [String] = []) {
        self.user = user
        self.groups = groups
    }

    /// Nil when none of the headers is there.
    init?(headers: some Sequence<(name: String, value: String)>) {
        var isGiven = false
        for header in headers {
            let name = header.name.lowercased()
            guard name.hasPrefix(Self.prefix) else { continue }
            isGiven = true
            switch name {
            case "impersonate-user": user = header.value
            case "impersonate-group": groups.append(header.value)
            case "impersonate-uid": uid = header.value
            default:
                guard name.hasPrefix(Self.extraPrefix),
                    let key = PercentEncoding.decode(name.dropFirst(Self.extraPrefix.count), plusIsSpace: false)
                else { continue }
                extra[key, default: []].append(header.value)
            }
        }
        guard isGiven else { return nil }
    }

    /// What has to be allowed, one by one.
    private var demands: [(group: String, resource: String, subresource: String, namespace: String, name: String)] {
        var demands: [(group: String, resource: String, subresource: String, namespace: String, name: String)] = []
        if let account = Self.serviceAccount(user) {
            demands.append(("", "serviceaccounts", "", account.namespace, account.name))
        } else {
            demands.append(("", "users", "", "", user))
        }
        demands += groups.map { ("", "groups", "", "", $0) }
        if !uid.isEmpty { demands.append(("authentication.k8s.io", "uids", "", "", uid)) }
        for (key, values) in extra.sorted(by: { $0.key < $1.key }) {
            demands += values.map { ("authentication.k8s.io", "userextras", key, "", $0) }
        }
        return demands
    }

    private static func serviceAccount(_ user: String) -> (namespace: String, name: String)? {
        guard user.hasPrefix(Identity.serviceAccountPrefix) else { return nil }
        let parts = user.dropFirst(Identity.serviceAccountPrefix.count).split(
            separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        return (String(parts[0]), String(parts[1]))
    }

    /// The identity to go on with.
    /// - Throws: `Forbidden` when the asker may not be all of that.
    func identity(for asker: Identity, _ access: AccessControl) throws(APIStatusError) -> Identity {
        guard !user.isEmpty else {
            throw .badRequest("the headers Impersonate-Group, -Uid and -Extra need Impersonate-User")
        }
        for demand in demands {
            let request = AccessRequest(
                verb: "impersonate",
                target: .resource(
                    group: demand.group, resource: demand.resource, subresource: demand.subresource,
                    namespace: demand.namespace, name: demand.name))
            guard access.reason(asker, request) == nil else { continue }
            let target = demand.subresource.isEmpty ? demand.resource : "\(demand.resource)/\(demand.subresource)"
            let scope = demand.namespace.isEmpty ? "at the cluster scope" : "in the namespace \"\(demand.namespace)\""
            throw .forbidden(
                ResourceID(group: demand.group, plural: demand.resource), demand.name,
                "User \"\(asker.name)\" cannot impersonate resource \"\(target)\" in API group \"\(demand.group)\" \(scope)"
            )
        }
        var all = Set(groups)
        if groups.isEmpty, let account = Self.serviceAccount(user) {
            all = ["system:serviceaccounts", "system:serviceaccounts:\(account.namespace)"]
        }
        return Identity(name: user, groups: all, expiry: asker.expiry, uid: uid, extra: extra)
    }
}
