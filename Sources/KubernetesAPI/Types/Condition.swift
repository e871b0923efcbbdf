/// One aspect of an object's state, in the form shared by newer kinds (services, custom resources).
public struct Condition: Codable, Hashable, Sendable, PatchMergeKeyed {
    public static var patchMergeKey: String { "type" }

    @ZeroIfAbsent public var type: String
    /// `True`, `False` or `Unknown`, see ``ConditionStatus``.
    @ZeroIfAbsent public var status: String
    public var observedGeneration: Int64?
    public var lastTransitionTime: Timestamp?
    /// One CamelCase word.
    @ZeroIfAbsent public var reason: String
    @ZeroIfAbsent public var message: String

    public init(
        type: String = "", status: String = "", observedGeneration: Int64? = nil, lastTransitionTime: Timestamp? = nil,
        reason: String = "", message: String = ""
    ) {
        self.type = type
        self.status = status
        self.observedGeneration = observedGeneration
        self.lastTransitionTime = lastTransitionTime
        self.reason = reason
        self.message = message
    }
}

/// The three values a condition's `status` can have.
public enum ConditionStatus: String, CaseIterable, Sendable {
    case `true` = "True"
    case `false` = "False"
    case unknown = "Unknown"
}
