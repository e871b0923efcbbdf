/// How large a JSON document may be.
public struct JSONLimits: Hashable, Sendable {
    /// How many arrays and objects may be open at once. At most 2,000 is used, which keeps the parser's recursion
    /// within a thread's stack.
    public var maximumDepth: Int
    /// The largest accepted document.
    public var maximumBytes: Int

    public init(maximumDepth: Int = 256, maximumBytes: Int = 64 << 20) {
        self.maximumDepth = min(max(maximumDepth, 0), 2000)
        self.maximumBytes = maximumBytes
    }

    public static let `default` = JSONLimits()
}
