/// Why a manifest file, or a part of it, is not in force.
public struct ManifestProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file's path.
    public let file: String
    /// One line naming place, field and reason: `/etc/…/web.yaml:7:5: spec.containers[0].name: Required value`.
    public let message: String

    public init(file: String, message: String) {
        self.file = file
        self.message = message
    }

    public var description: String { message }
}
