/// What the pods of a node need of its images.
public struct ImageNeeds: Hashable, Sendable {
    /// Images that containers, running or ended, were made of, or that are mounted.
    public var ids: Set<String>
    /// Names and IDs by which pods that are not over ask for images.
    public var references: Set<String>

    public init(ids: Set<String> = [], references: Set<String> = []) {
        self.ids = ids
        self.references = references
    }
}
