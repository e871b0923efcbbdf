import Glibc
public import KubernetesAPI
import LinuxKernel
import SystemPackage

/// The directories that this node makes for persistent volumes of its own: `.provisioned/<volume>` below the claims' directory.
///
/// Only these are ever removed, and only by the name of their volume.
public struct ProvisionedVolumes: Sendable {
    /// Says on a volume who has made it.
    public static let provisioner = "swiftlet.dev/local"
    public static let provisionedByAnnotation = "pv.kubernetes.io/provisioned-by"

    private static let directoryName = ".provisioned"
    private let claimsDirectory: String

    public init(claimsDirectory: String) { self.claimsDirectory = claimsDirectory }

    private var directory: String { claimsDirectory + "/" + Self.directoryName }

    /// Where the volume so named is.
    public func path(of volumeName: String) -> String { directory + "/" + volumeName }

    /// Whether a volume of the API is one of these: it says so, and is where it would be.
    public func owns(_ volume: PersistentVolume) -> Bool {
        guard let name = volume.metadata.name, Self.isSafe(name) else { return false }
        return volume.metadata.annotations?[Self.provisionedByAnnotation] == Self.provisioner
            && volume.spec.local?.path == path(of: name)
    }

    /// Removes a volume with all that is in it. No link is followed and no mount crossed: with something mounted in it nothing of
    /// the mount goes, and this throws. Fine to repeat after a crash at any point, and for a volume that was never made.
    public func remove(_ volumeName: String) throws(VolumeError) {
        guard Self.isSafe(volumeName) else {
            throw VolumeError(.invalid, "volume name \(JSONValue.string(volumeName)) is not a name")
        }
        try volumeCall { () throws(KernelError) in
            guard FileSystem.exists(directory) else { return }
            let parent = try OwnedDescriptor.open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            // As the kernel names it, for messages and mounts.
            let path = try parent.canonicalPath() + "/" + volumeName
            let mounted = try Mount.points(below: path)
            if let point = mounted.first { throw KernelError("rmdir", point, errno: .resourceBusy) }
            try TreeRemoval.remove(volumeName, in: parent, path: path)
        }
    }

    static func isSafe(_ name: String) -> Bool {
        (1...253).contains(name.utf8.count) && name.utf8.first != UInt8(ascii: ".")
            && name.utf8.allSatisfy(PodVolumeLayout.isNameByte)
    }
}
