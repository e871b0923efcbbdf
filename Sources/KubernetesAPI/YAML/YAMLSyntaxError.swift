/// A text that is not YAML, or not YAML that JSON can express, and where: `pod.yaml:3:7: duplicate key "image"`.
public struct YAMLSyntaxError: Error, Hashable, Sendable, CustomStringConvertible {
    public let file: String
    /// From 1.
    public let line: Int
    /// In Unicode scalars, from 1.
    public let column: Int
    public let reason: String

    public var description: String { "\(file):\(line):\(column): \(reason)" }
}
