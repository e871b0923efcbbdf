import KubernetesAPI

/// A relative path inside a volume, cut into components after everything dangerous is refused.
struct VolumePath: Hashable, Sendable {
    /// Deeper paths are refused, so that walks over them are bounded.
    static let maximumDepth = 128
    /// NAME_MAX and PATH_MAX of Linux.
    private static let maximumComponentBytes = 255
    private static let maximumBytes = 3072

    /// Without empty ones and `.`; none for the volume itself.
    let components: [String]

    var text: String { components.joined(separator: "/") }

    init(_ path: String) throws(VolumeError) {
        func refuse(_ reason: String) -> VolumeError {
            VolumeError(.unsafePath, "path \(JSONValue.string(String(path.prefix(128)))) \(reason)")
        }
        if path.isEmpty { throw refuse("is empty") }
        if path.utf8.first == UInt8(ascii: "/") { throw refuse("must be relative") }
        if path.utf8.contains(0) { throw refuse("must not contain the NUL character") }
        if path.utf8.count > Self.maximumBytes { throw refuse("is longer than \(Self.maximumBytes) bytes") }
        components = path.utf8.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }
            .filter { $0 != "." }
        if components.contains("..") { throw refuse("must not contain '..'") }
        if components.count > Self.maximumDepth { throw refuse("has more than \(Self.maximumDepth) levels") }
        if components.contains(where: { $0.utf8.count > Self.maximumComponentBytes }) {
            throw refuse("has a name longer than \(Self.maximumComponentBytes) bytes")
        }
    }
}
