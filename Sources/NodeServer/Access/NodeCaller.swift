/// Who a request to the node's API is from, as a certificate or the API server says.
public struct NodeCaller: Hashable, Sendable {
    public static let authenticatedGroup = "system:authenticated"

    public let name: String
    public let uid: String
    /// With the group of everyone who proved who they are.
    public let groups: Set<String>
    public let extra: [String: [String]]
    /// Seconds since 1970 after which this proves nothing any more.
    public let expiry: Int64

    public init(
        name: String, uid: String = "", groups: Set<String> = [], extra: [String: [String]] = [:], expiry: Int64 = .max
    ) {
        self.name = name
        self.uid = uid
        self.groups = groups.union([Self.authenticatedGroup])
        self.extra = extra
        self.expiry = expiry
    }
}
