import CLinux
import Glibc
import KubernetesAPI
import LinuxKernel
import SystemPackage

/// A file or directory of the node itself. Nothing of it is ever removed.
///
/// Where the path leads is asked of the node's policy, and that place alone is given to the containers: the runtime
/// mounts it by a path without links, and follows none that has come into it meanwhile.
struct HostPathPlugin: VolumePlugin {
    static let directoryName = "kubernetes.io~host-path"

    let source: HostPathVolumeSource
    /// Where the source is written when it is not in the pod, for messages.
    var field: String?

    func mount(_ context: VolumeContext) throws(VolumeError) -> MountedVolume {
        let path = source.path
        guard path.utf8.first == UInt8(ascii: "/"), !path.split(separator: "/").contains(".."), !path.utf8.contains(0)
        else {
            throw VolumeError(
                .invalid, "\(origin(context)).path \(JSONValue.string(path)) must be absolute without '..'")
        }
        guard let type = HostPathType(rawValue: source.type ?? "") else {
            throw VolumeError(
                .invalid,
                "\(origin(context)).type \(JSONValue.string(source.type ?? "")) is not supported: use "
                    + HostPathType.allCases.map { JSONValue.string($0.rawValue).description }.joined(separator: ", "))
        }
        if case .failure(let silence)? = context.attached[context.volumeName] { throw silence }
        let found = try locate(path, type, context)
        if let mismatch = Self.mismatch(type, found.format) {
            throw VolumeError(.hostPathCheckFailed, "hostPath type check failed: \(path) is not \(mismatch)")
        }
        return MountedVolume(
            name: context.volumeName, hostPath: found.path, isFile: found.format != S_IFDIR,
            isReadOnly: found.access < .readWrite, forbidsLinks: true, mayHang: true)
    }

    func foreignPath(_ context: VolumeContext) -> String? {
        source.path.utf8.first == UInt8(ascii: "/") && !source.path.utf8.contains(0) ? source.path : nil
    }

    private func origin(_ context: VolumeContext) -> String { field ?? context.fieldPath + ".hostPath" }

    /// A place on the host: free of links, and what is there.
    private struct Place {
        var path: String
        /// `S_IFMT` bits.
        var format: mode_t
        var access: HostPathAccess
    }

    /// Where the path leads; made there when it is missing and the type says so.
    private func locate(_ path: String, _ type: HostPathType, _ context: VolumeContext) throws(VolumeError) -> Place {
        if let place = try examine(path, context) { return place }
        let isFile: Bool
        switch type {
        // Kubernetes' "no check": its runtimes make a directory of a path that is not there.
        case .unset, .directoryOrCreate: isFile = false
        case .fileOrCreate: isFile = true
        case .directory, .file, .socket, .charDevice, .blockDevice:
            let expected = Self.mismatch(type, nil) ?? "there"
            throw VolumeError(.hostPathCheckFailed, "hostPath type check failed: \(path) is not \(expected)")
        }
        try make(path, isFile: isFile, context)
        if let place = try examine(path, context) { return place }
        throw VolumeError(.hostPathCheckFailed, "hostPath \(path) was removed while it was being mounted")
    }

    /// Nil when nothing is there.
    private func examine(_ path: String, _ context: VolumeContext) throws(VolumeError) -> Place? {
        let found = try volumeCall { () throws(KernelError) -> (path: String, format: mode_t)? in
            do throws(KernelError) {
                let opened = try Self.open(path, O_PATH)
                return (try opened.canonicalPath(), try opened.status().st_mode & S_IFMT)
            } catch {
                if error.errno == .noSuchFileOrDirectory { return nil }
                throw error
            }
        }
        guard let found else { return nil }
        return Place(
            path: found.path, format: found.format, access: try check(found.path, of: path, .readOnly, context))
    }

    /// Links are followed, but not those of procfs, which lead into other mount namespaces, where paths mean nothing.
    private static func open(_ path: String, _ flags: Int32) throws(KernelError) -> OwnedDescriptor {
        try OwnedDescriptor.open(path, flags, resolve: CLinux_RESOLVE_NO_MAGICLINKS)
    }

    @discardableResult
    private func check(
        _ place: String, of path: String, _ least: HostPathAccess, _ context: VolumeContext
    ) throws(VolumeError) -> HostPathAccess {
        let access = context.hostPaths.access(of: context.pod, to: place)
        guard access < least else { return access }
        let leads = place == path ? "" : ", which leads to \(place),"
        throw VolumeError(
            .unsafePath,
            access == .none
                ? "\(origin(context)).path \(JSONValue.string(path))\(leads) is not allowed by the node's policy"
                : "\(origin(context)).path \(JSONValue.string(path))\(leads) does not exist, and the node's "
                    + "policy allows only to read there")
    }

    // MARK: What is missing

    /// Makes the missing end of the path, below what is there and was checked, without following a link.
    private func make(_ path: String, isFile: Bool, _ context: VolumeContext) throws(VolumeError) {
        let components = path.split(separator: "/").filter { $0 != "." }.map(String.init)
        // A file's directory must be there already.
        let shortest = isFile ? max(0, components.count - 1) : 0
        for count in stride(from: components.count - 1, through: shortest, by: -1) {
            let parent = "/" + components[..<count].joined(separator: "/")
            do throws(VolumeError) {
                return try make(components[count...], in: parent, of: path, isFile: isFile, context)
            } catch {
                guard error.cause?.errno == .noSuchFileOrDirectory, count > shortest else { throw error }
            }
        }
    }

    private func make(
        _ missing: ArraySlice<String>, in parent: String, of path: String, isFile: Bool, _ context: VolumeContext
    ) throws(VolumeError) {
        let directory = try volumeCall { () throws(KernelError) in try Self.open(parent, O_RDONLY | O_DIRECTORY) }
        let place = try volumeCall { () throws(KernelError) in try directory.canonicalPath() }
        try check((place == "/" ? "" : place) + "/" + missing.joined(separator: "/"), of: path, .readWrite, context)
        try volumeCall { () throws(KernelError) in
            isFile
                ? try Self.makeFile(missing.last ?? "", in: directory)
                : try Self.makeDirectories(missing, in: directory)
        }
    }

    private static func makeFile(_ name: String, in parent: borrowing OwnedDescriptor) throws(KernelError) {
        let file = try parent.open(name, O_WRONLY | O_CREAT | O_NOFOLLOW, mode: 0o644)
        // Whatever the agent's umask is.
        try kernelCall("fchmod", name) { fchmod(file.raw, 0o644) }
    }

    private static func makeDirectories(
        _ names: ArraySlice<String>, in parent: borrowing OwnedDescriptor
    ) throws(KernelError) {
        guard let name = names.first else { return }
        if mkdirat(parent.raw, name, 0o755) != 0 {
            let failure = KernelError.last("mkdir", name)
            if failure.errno != .fileExists { throw failure }
        }
        let made = try parent.open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        try kernelCall("fchmod", name) { fchmod(made.raw, 0o755) }
        try makeDirectories(names.dropFirst(), in: made)
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
}
