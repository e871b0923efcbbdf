/// What ``ImageManager/start()`` found and did, for the log and the node's events.
public struct ImageRecovery: Hashable, Sendable {
    /// Interrupted imports and removals whose remains were deleted.
    public var leftoversRemoved = 0
    /// Where a damaged index was moved.
    public var quarantinedIndex: String?
    /// Images that can no longer be used because a layer or the configuration is missing or damaged: ID and reason.
    public var lostImages: [String] = []
    /// Layers and blobs no image needed.
    public var unreferencedRemoved = 0

    public init() {}
}
