/// What an image may cost this node before its import is given up.
///
/// Real images stay far below: the largest published ones have about 300,000 files and 20 GB over all layers. Depth
/// and path length are
/// what Linux itself can still open in one call.
public struct UnpackLimits: Sendable, Hashable {
    /// Uncompressed bytes of one layer, headers and padding included; also the sum of its files' apparent sizes.
    public var layerBytes: Int64 = 10 << 30
    /// Uncompressed bytes of all layers of one import.
    public var importBytes: Int64 = 20 << 30
    /// Files, directories, links and nodes of one layer.
    public var layerInodes = 1_000_000
    /// Bytes of one path, as in the archive.
    public var pathBytes = 4095
    /// Components of one path.
    public var pathComponents = 255
    /// Names and values of the extended attributes of one entry.
    public var extendedAttributeBytes = 64 << 10
    /// Layers of one image: what an overlay mount is sure to take.
    public var layers = 127
    /// Bytes of one JSON document (manifest, index, configuration).
    public var documentBytes = 4 << 20
    /// Entries of the outer archive.
    public var archiveEntries = 100_000
    /// Paths held in memory until an import ends (directories whose times are set last, whiteouts, an archive's names).
    public var rememberedPathBytes = 64 << 20
    /// Seconds of processor time that unpacking one layer, or parsing an archive once, may take: the largest take less than a tenth of it.
    public var processorSeconds = 1_200
    /// Seconds that either may stand still while there are bytes for it.
    public var stallSeconds = 300

    public init() {}
}
