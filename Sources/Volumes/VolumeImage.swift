/// An image of this node that a pod mounts as a volume.
public struct VolumeImage: Hashable, Sendable {
    /// The image's ID.
    public var id: String
    /// overlayfs lower directories, topmost first.
    public var lowerDirectories: [String]

    public init(id: String, lowerDirectories: [String]) {
        self.id = id
        self.lowerDirectories = lowerDirectories
    }
}
