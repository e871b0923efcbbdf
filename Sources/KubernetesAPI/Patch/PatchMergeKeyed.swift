/// An element type of lists that a strategic merge patch merges by key: a container by `name`.
public protocol PatchMergeKeyed {
    /// The JSON field that tells the elements of one list apart.
    static var patchMergeKey: String { get }
}

/// A type with lists of primitives that a strategic merge patch adds to rather than replaces: `finalizers`.
public protocol PatchMergedPrimitiveLists {
    /// The JSON names of those fields.
    static var mergedPrimitiveLists: Set<String> { get }
}
