/// The `metadata` of a list response.
public struct ListMeta: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    /// Legacy; never filled in by current servers.
    public var selfLink: String?
    /// The store version the whole list was read at; a watch can continue from here.
    public var resourceVersion: String?
    /// Opaque token for the next page; absent on the last page.
    public var `continue`: String?
    /// How many items follow this page, when the server knows.
    public var remainingItemCount: Int64?

    public init(
        selfLink: String? = nil, resourceVersion: String? = nil, continue: String? = nil,
        remainingItemCount: Int64? = nil
    ) {
        self.selfLink = selfLink
        self.resourceVersion = resourceVersion
        self.continue = `continue`
        self.remainingItemCount = remainingItemCount
    }
}
