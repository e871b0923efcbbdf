/// A dynamic resource claim the pod's containers can refer to by name.
public struct PodResourceClaim: Codable, Hashable, Sendable, PatchMergeKeyed {
    public static var patchMergeKey: String { "name" }

    @ZeroIfAbsent public var name: String
    public var resourceClaimName: String?
    public var resourceClaimTemplateName: String?

    public init(name: String = "", resourceClaimName: String? = nil, resourceClaimTemplateName: String? = nil) {
        self.name = name
        self.resourceClaimName = resourceClaimName
        self.resourceClaimTemplateName = resourceClaimTemplateName
    }
}
