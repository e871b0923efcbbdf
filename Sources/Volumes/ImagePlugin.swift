import CLinux
import Glibc
import KubernetesAPI
import LinuxKernel

/// The files of an image, read-only, of which none can be run from there (KEP-4639).
///
/// An overlay without an upper directory: nobody can write to the layers, which other pods share. What is mounted stays as it is
/// for the pod's life, whatever becomes of the image's name.
struct ImagePlugin: VolumePlugin {
    static let directoryName = "kubernetes.io~image"

    let source: ImageVolumeSource

    /// OVERLAYFS_SUPER_MAGIC (statfs(2)).
    private static let magic = 0x794c_7630

    func mount(_ context: VolumeContext) throws(VolumeError) -> MountedVolume {
        // overlayfs cannot map ids: with a user namespace the files belong to nobody inside.
        let volume = MountedVolume(
            name: context.volumeName, hostPath: context.directory, isReadOnly: true, hasPodIDs: context.ids != nil)
        let isMounted = try volumeCall { () throws(KernelError) in
            guard FileSystem.exists(context.directory) else { return false }
            return try MemoryFileSystem.isMounted(at: context.directory, magic: Self.magic)
        }
        if isMounted { return volume }
        guard let image = context.images[context.volumeName], !image.lowerDirectories.isEmpty else {
            throw VolumeError(
                .notFound,
                "\(context.fieldPath).image.reference \(JSONValue.string(source.reference ?? "")): no such image")
        }
        try volumeCall { () throws(KernelError) in try Self.mount(image, at: context.directory) }
        return volume
    }

    private static func mount(_ image: VolumeImage, at directory: String) throws(KernelError) {
        let (parent, name) = directory.splitAtLastSlash
        try FileSystem.makeDirectories(directory, mode: 0o750)
        // Before the mount: an image that is mounted is known to be, also to an agent after this one.
        try FileSystem.writeAtomically(record(name, in: parent), Array(image.id.utf8))
        // overlayfs without an upper directory wants two lower ones.
        let empty = parent + "/.empty"
        try FileSystem.makeDirectories(empty, mode: 0o755)
        // By descriptor: the paths of many layers would not fit into the one page that mount(2) takes.
        var layers: [Layer] = []
        for path in image.lowerDirectories + [empty] { layers.append(try Layer(path)) }
        let lower = layers.map(\.path).joined(separator: ":")
        try Mount.mount(
            type: "overlay", source: "overlay", target: directory,
            flags: UInt(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC), options: "lowerdir=" + lower)
    }

    /// An open layer.
    private final class Layer {
        private let descriptor: OwnedDescriptor

        init(_ path: String) throws(KernelError) {
            descriptor = try OwnedDescriptor.open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW)
        }

        var path: String { "/proc/self/fd/\(descriptor.raw)" }
    }

    // MARK: Records

    private static let recordSuffix = ".image"

    /// The file that tells which image is mounted.
    private static func record(_ name: String, in parent: String) -> String { "\(parent)/.\(name)\(recordSuffix)" }

    /// The images mounted by the pod of a layout.
    static func imageIDs(in layout: PodVolumeLayout) -> Set<String> {
        let directory = "\(layout.volumesDirectory)/\(directoryName)"
        let names = ((try? FileSystem.list(directory)) ?? []).filter { $0.hasPrefix(".") && $0.hasSuffix(recordSuffix) }
        return Set(names.compactMap { try? FileSystem.readText("\(directory)/\($0)", limit: 256) })
    }
}
