/// A kubeconfig that cannot be used: which file, which field, why, and what to do.
public struct KubeconfigError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kubeconfig file.
    public var file: String
    /// The field, e.g. `users[1].user.client-key-data`; empty when the file as a whole is meant.
    public var field: String
    public var reason: String

    public init(file: String, field: String, reason: String) {
        self.file = file
        self.field = field
        self.reason = reason
    }

    public var description: String {
        field.isEmpty ? "kubeconfig \(file): \(reason)" : "kubeconfig \(file): \(field): \(reason)"
    }
}
