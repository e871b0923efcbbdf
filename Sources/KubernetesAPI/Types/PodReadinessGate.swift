/// A condition, set by someone else, that must be true for the pod to be ready.
public struct PodReadinessGate: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var conditionType: String

    public init(conditionType: String = "") {
        self.conditionType = conditionType
    }
}
