/// What a container's root is an overlay of.
public struct RootFilesystem: Hashable, Sendable {
    /// overlayfs lower directories, topmost first.
    public let lowerDirectories: [String]

    public init(lowerDirectories: [String]) {
        self.lowerDirectories = lowerDirectories
    }

    /// The host's own root file system, for `host:///`.
    public static let host = RootFilesystem(lowerDirectories: ["/"])
}
