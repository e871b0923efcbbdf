/// Lets a pod run on nodes with a matching ``Taint``.
public struct Toleration: Codable, Hashable, Sendable {
    /// Absent, with operator `Exists`, matches every key.
    public var key: String?
    /// `Exists`, `Equal` (the default), `Lt` or `Gt`.
    public var `operator`: String?
    public var value: String?
    /// See ``TaintEffect``; absent matches every effect.
    public var effect: String?
    /// Seconds a `NoExecute` taint is tolerated; absent means for ever.
    public var tolerationSeconds: Int64?

    public init(
        key: String? = nil, operator: String? = nil, value: String? = nil, effect: String? = nil,
        tolerationSeconds: Int64? = nil
    ) {
        self.key = key
        self.operator = `operator`
        self.value = value
        self.effect = effect
        self.tolerationSeconds = tolerationSeconds
    }
}
