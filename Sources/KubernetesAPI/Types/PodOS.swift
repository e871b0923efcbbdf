/// The operating system the pod is made for.
public struct PodOS: Codable, Hashable, Sendable {
    /// `linux` or `windows`.
    @ZeroIfAbsent public var name: String

    public init(name: String = "") {
        self.name = name
    }
}
