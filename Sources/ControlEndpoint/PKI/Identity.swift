/// Who a request is from, as its client certificate or its token says.
public struct Identity: Hashable, Sendable {
    static let mastersGroup = "system:masters"
    static let administratorName = "swiftlet-admin"
    static let nodesGroup = "system:nodes"
    static let nodePrefix = "system:node:"
    static let serviceAccountPrefix = "system:serviceaccount:"
    static let authenticatedGroup = "system:authenticated"

    /// The certificate's common name, or the subject of the token.
    public let name: String
    /// The certificate's organizations, or the groups of service accounts.
    public let groups: Set<String>
    /// Seconds since 1970 after which the certificate or token proves nothing any more.
    public let expiry: Int64
    /// Of a service account: its object's.
    public let uid: String
    /// What a token says besides, such as the pod it is bound to.
    public let extra: [String: [String]]

    public init(
        name: String, groups: Set<String>, expiry: Int64 = .max, uid: String = "", extra: [String: [String]] = [:]
    ) {
        self.name = name
        self.groups = groups
        self.expiry = expiry
        self.uid = uid
        self.extra = extra
    }

    /// The groups for authorization: everyone who proved who they are is in one more.
    var allGroups: Set<String> { groups.union([Self.authenticatedGroup]) }

    /// The node this identity speaks for, when it is one.
    var nodeName: String? {
        guard groups.contains(Self.nodesGroup), name.hasPrefix(Self.nodePrefix) else { return nil }
        let node = name.dropFirst(Self.nodePrefix.count)
        return node.isEmpty ? nil : String(node)
    }
}
