/// Something wrong with the node that a condition shows.
public struct NodeProblem: Hashable, Sendable {
    /// The condition it shows in.
    public enum Condition: String, Hashable, Sendable, CaseIterable {
        case memoryPressure = "MemoryPressure"
        case diskPressure = "DiskPressure"
        case pidPressure = "PIDPressure"
        /// Pods cannot be run: the message says what is missing.
        case notReady = "Ready"
    }

    public var condition: Condition
    /// One sentence for people.
    public var message: String

    public init(condition: Condition, message: String) {
        self.condition = condition
        self.message = message
    }
}

/// Who knows how the node is.
public protocol NodeHealthSource: Sendable {
    /// Everything wrong right now; empty means healthy.
    func nodeProblems() async -> [NodeProblem]
}
