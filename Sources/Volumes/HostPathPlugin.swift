import CLinux
import Glibc
import KubernetesAPI
import LinuxKernel
import SystemPackage

/// A file or directory of the node itself. Nothing of it is ever removed.
struct HostPathPlugin: VolumePlugin {
    static let directoryName = "kubernetes.io~host-path"

    let source: HostPathVolumeSource

    func mount(_ context: VolumeContext) throws(VolumeError) -> MountedVolume {
        let path = source.path
        guard path.utf8.first == UInt8(ascii: "/"), !path.split(separator: "/").contains(".."), !path.utf8.contains(0)
        else {
            throw VolumeError(
                .invalid, "\(context.fieldPath).hostPath.path \(JSONValue.string(path)) must be absolute without '..'")
        }
        guard let type = HostPathType(rawValue: source.type ?? "") else {
            throw VolumeError(
                .invalid,
                "\(context.fieldPath).hostPath.type \(JSONValue.string(source.type ?? "")) is not supported: use "
                    + HostPathType.allCases.map { JSONValue.string($0.rawValue).description }.joined(separator: ", "))
        }
        let format = try check(path, type)
        return MountedVolume(name: context.volumeName, hostPath: path, isFile: format != S_IFDIR)
    }

    /// Creates what is missing where the type says so, and gives the file format (`S_IFMT`) of what is there.
    private func check(_ path: String, _ type: HostPathType) throws(VolumeError) -> mode_t {
        var format = try volumeCall { () throws(KernelError) in try Self.format(path) }
        if format == nil {
            switch type {
            // Kubernetes' "no check": its runtimes make a directory of a path that is not there.
            case .unset, .directoryOrCreate:
                try volumeCall { () throws(KernelError) in
                    try FileSystem.makeDirectories(path, mode: 0o755)
                    try kernelCall("chmod", path) { chmod(path, 0o755) }
                }
            case .fileOrCreate:
                try volumeCall { () throws(KernelError) in
                    let file = try OwnedDescriptor.open(path, O_WRONLY | O_CREAT | O_NOFOLLOW, mode: 0o644)
                    try kernelCall("fchmod", path) { fchmod(file.raw, 0o644) }
                }
            case .directory, .file, .socket, .charDevice, .blockDevice: break
            }
            format = try volumeCall { () throws(KernelError) in try Self.format(path) }
        }
        guard let mismatch = Self.mismatch(type, format) else { return format ?? S_IFDIR }
        throw VolumeError(.hostPathCheckFailed, "hostPath type check failed: \(path) is not \(mismatch)")
    }

    /// What `format` should have been; nil when it is that.
    private static func mismatch(_ type: HostPathType, _ format: mode_t?) -> String? {
        switch type {
        case .unset: nil
        case .directoryOrCreate, .directory: format == S_IFDIR ? nil : "a directory"
        // As in Kubernetes anything but a directory will do: sockets and devices are mounted as files.
        case .fileOrCreate, .file: format != nil && format != S_IFDIR ? nil : "a file"
        case .socket: format == S_IFSOCK ? nil : "a socket file"
        case .charDevice: format == S_IFCHR ? nil : "a character device"
        case .blockDevice: format == S_IFBLK ? nil : "a block device"
        }
    }

    /// Links are followed: the path is the node administrator's. Nil when nothing is there.
    private static func format(_ path: String) throws(KernelError) -> mode_t? {
        var status = stat()
        do {
            try kernelCall("stat", path) { stat(path, &status) }
        } catch let error where error.errno == .noSuchFileOrDirectory {
            return nil
        }
        return status.st_mode & S_IFMT
    }
}
