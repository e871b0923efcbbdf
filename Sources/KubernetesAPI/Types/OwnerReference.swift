/// Names an object in the same namespace (or cluster-scoped) that owns the object carrying the reference.
public struct OwnerReference: Codable, Hashable, Sendable, PatchMergeKeyed {
    public static var patchMergeKey: String { "uid" }

    @ZeroIfAbsent public var apiVersion: String
    @ZeroIfAbsent public var kind: String
    @ZeroIfAbsent public var name: String
    @ZeroIfAbsent public var uid: String
    /// True for the one owner that manages this object.
    public var controller: Bool?
    /// True when foreground deletion of the owner waits for this object.
    public var blockOwnerDeletion: Bool?

    public init(
        apiVersion: String = "", kind: String = "", name: String = "", uid: String = "", controller: Bool? = nil,
        blockOwnerDeletion: Bool? = nil
    ) {
        self.apiVersion = apiVersion
        self.kind = kind
        self.name = name
        self.uid = uid
        self.controller = controller
        self.blockOwnerDeletion = blockOwnerDeletion
    }
}
