/// Who a request is from, as its client certificate says.
public struct Identity: Hashable, Sendable {
    static let mastersGroup = "system:masters"
    static let nodesGroup = "system:nodes"
    static let nodePrefix = "system:node:"

    /// The certificate's common name.
    public let name: String
    /// The certificate's organizations.
    public let groups: Set<String>
    /// Seconds since 1970 after which the certificate proves nothing any more.
    public let expiry: Int64

    public init(name: String, groups: Set<String>, expiry: Int64 = .max) {
        self.name = name
        self.groups = groups
        self.expiry = expiry
    }

    /// The node this identity speaks for, when it is one.
    var nodeName: String? {
        guard groups.contains(Self.nodesGroup), name.hasPrefix(Self.nodePrefix) else { return nil }
        let node = name.dropFirst(Self.nodePrefix.count)
        return node.isEmpty ? nil : String(node)
    }
}
