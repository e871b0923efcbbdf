/// A path of the host by its parts: absolute, without `.`, `..` and empty parts.
public struct HostPath: Hashable, Sendable, CustomStringConvertible {
    let components: [String]

    /// The longest path the kernel takes, in bytes.
    private static let byteLimit = 4096

    /// Nil for a path that is relative, holds `..` or a NUL byte, or is longer than the kernel takes.
    public init?(_ path: String) {
        let parts = path.split(separator: "/")
        guard path.utf8.first == UInt8(ascii: "/"), !parts.contains(".."), !path.utf8.contains(0),
            path.utf8.count < Self.byteLimit
        else { return nil }
        components = parts.filter { $0 != "." }.map(String.init)
    }

    /// The root directory.
    var isRoot: Bool { components.isEmpty }

    /// Whether `other` is this path or below it.
    func holds(_ other: HostPath) -> Bool { other.components.starts(with: components) }

    public var description: String { "/" + components.joined(separator: "/") }
}
