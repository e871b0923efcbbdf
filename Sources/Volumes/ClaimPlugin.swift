import CLinux
import Glibc
import KubernetesAPI
import LinuxKernel
import SystemPackage

/// The storage of a persistent volume claim. Nothing of it is removed with a pod.
struct ClaimPlugin: VolumePlugin {
    static let directoryName = "kubernetes.io~persistent-volume-claim"

    let source: PersistentVolumeClaimVolumeSource
    /// The claim was made for the pod.
    var isEphemeral = false
    /// Holds `<namespace>/<claim>` for every claim that has no volume of its own.
    let root: String

    func objectNames(for pod: Pod) -> PodObjectNames { PodObjectNames(claims: [source.claimName]) }

    func mount(_ context: VolumeContext) throws(VolumeError) -> MountedVolume {
        let claim = "persistentvolumeclaim \"\(context.pod.metadata.namespace ?? "")/\(source.claimName)\""
        guard var storage = try context.objects.claim(source.claimName) else {
            throw VolumeError(.notFound, "\(claim) not found")
        }
        var owner: String?
        if case .made(let uid, let made) = storage { (owner, storage) = (uid, made) }
        do throws(VolumeError) {
            if isEphemeral, owner != context.pod.metadata.uid {
                throw VolumeError(.notFound, "was not created for this pod")
            }
            try checkMode(storage, context)
            switch storage {
            case .made: throw VolumeError(.invalid, "was made twice")
            case .directory: return try mountDirectory(context)
            case .provisioned(let volume):
                guard ProvisionedVolumes.isSafe(volume) else {
                    throw VolumeError(.invalid, "volume name \(JSONValue.string(volume)) is not a name")
                }
                let path = ProvisionedVolumes(claimsDirectory: root).path(of: volume)
                return try mountDirectory(path, context)
            case .hostPath(let path, let field): return try mount(path, field, context)
            case .local(let path, let field):
                // What it stands for is there already: a disk that is not mounted yet must not be written past.
                let mounted = try mount(
                    HostPathVolumeSource(path: path, type: HostPathType.directory.rawValue), field, context)
                if !mounted.isReadOnly { try context.giveToGroup(mounted.hostPath) }
                return mounted
            case .device(let path, let field):
                return try mount(
                    HostPathVolumeSource(path: path, type: HostPathType.blockDevice.rawValue), field, context
                ).asDevice()
            case .driver(let volume): return try mount(volume, context)
            case .network(let export):
                return try context.attachedVolume(readOnly: source.readOnly == true || export.readOnly)
            case .unbound(let reason): throw VolumeError(.notFound, "cannot be bound: \(reason)")
            }
        } catch {
            throw VolumeError(error.code, "\(claim): \(error.message)", cause: error.cause)
        }
    }

    func attachment(_ context: VolumeContext) throws(VolumeError) -> VolumeAttachment? {
        guard var storage = try context.objects.claim(source.claimName) else { return nil }
        if case .made(let uid, let made) = storage {
            if isEphemeral, uid != context.pod.metadata.uid { return nil }
            storage = made
        } else if isEphemeral {
            return nil
        }
        switch storage {
        case .driver(let volume):
            try checkMode(storage, context)
            return .driver(volume)
        case .network(let export):
            try checkMode(storage, context)
            return .network(export)
        case .directory, .provisioned, .hostPath, .local, .device, .made, .unbound: return nil
        }
    }

    func foreignPath(_ context: VolumeContext) throws(VolumeError) -> String? {
        var storage = try context.objects.claim(source.claimName)
        if case .made(_, let made)? = storage { storage = made }
        return switch storage {
        case .hostPath(let source, let field): HostPathPlugin(source: source, field: field).foreignPath(context)
        case .local(let path, let field), .device(let path, let field):
            HostPathPlugin(source: HostPathVolumeSource(path: path), field: field).foreignPath(context)
        case .directory, .provisioned, .driver, .network, .made, .unbound, nil: nil
        }
    }

    private func mount(_ volume: DriverVolume, _ context: VolumeContext) throws(VolumeError) -> MountedVolume {
        let mounted = try context.attachedVolume(readOnly: source.readOnly == true || volume.readOnly)
        return volume.isBlock ? try mounted.asDevice() : mounted
    }

    /// As for a hostPath volume of the pod itself, where the policy refuses a pod that would write what it may only read.
    private func mount(
        _ path: HostPathVolumeSource, _ field: String, _ context: VolumeContext
    ) throws(VolumeError) -> MountedVolume {
        let mounted = try HostPathPlugin(source: path, field: field).mount(context)
        if mounted.isReadOnly, isWritten(context) {
            throw VolumeError(
                .unsafePath,
                "\(field).path \(JSONValue.string(path.path)) may only be read under the node's policy: set "
                    + "\(context.fieldPath).persistentVolumeClaim.readOnly: true")
        }
        return MountedVolume(
            name: mounted.name, hostPath: mounted.hostPath, isFile: mounted.isFile,
            isReadOnly: mounted.isReadOnly || source.readOnly == true, forbidsLinks: mounted.forbidsLinks,
            mayHang: mounted.mayHang)
    }

    private func isWritten(_ context: VolumeContext) -> Bool {
        let spec = context.pod.spec
        let containers =
            spec.containers + (spec.initContainers ?? []) + (spec.ephemeralContainers ?? []).map(\.container)
        let mounts = containers.flatMap { $0.volumeMounts ?? [] }.filter { $0.name == context.volumeName }
        let isDevice = containers.contains { $0.volumeDevices?.contains { $0.name == context.volumeName } == true }
        return source.readOnly != true && (isDevice || mounts.contains { $0.readOnly != true })
    }

    /// A device is never mounted, and files are no device.
    private func checkMode(_ storage: ClaimStorage, _ context: VolumeContext) throws(VolumeError) {
        let spec = context.pod.spec
        let isDevice =
            switch storage {
            case .device: true
            case .driver(let volume): volume.isBlock
            case .directory, .provisioned, .hostPath, .local, .network, .made, .unbound: false
            }
        for container in spec.containers + (spec.initContainers ?? []) {
            let isMounted = container.volumeMounts?.contains { $0.name == context.volumeName } == true
            let isUsedAsDevice = container.volumeDevices?.contains { $0.name == context.volumeName } == true
            if isDevice, isMounted {
                throw VolumeError(
                    .invalid, "has volumeMode Block, but container \"\(container.name)\" has it in volumeMounts")
            }
            if !isDevice, isUsedAsDevice {
                throw VolumeError(
                    .invalid, "has volumeMode Filesystem, but container \"\(container.name)\" has it in volumeDevices")
            }
        }
    }

    // MARK: The node's own directory

    private func mountDirectory(_ context: VolumeContext) throws(VolumeError) -> MountedVolume {
        let namespace = try Self.component(context.pod.metadata.namespace ?? "", "metadata.namespace")
        let name = try Self.component(
            source.claimName, "\(context.fieldPath).persistentVolumeClaim.claimName")
        return try mountDirectory("\(root)/\(namespace)/\(name)", context)
    }

    private func mountDirectory(_ path: String, _ context: VolumeContext) throws(VolumeError) -> MountedVolume {
        let (parent, name) = path.splitAtLastSlash
        let uid = context.pod.metadata.uid ?? ""
        let place = try volumeCall { () throws(KernelError) in
            if !FileSystem.exists(path) { try Self.make(name, in: parent, staging: ".\(uid).new") }
            return try OwnedDescriptor.open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW).canonicalPath()
        }
        if source.readOnly != true { try context.giveToGroup(place) }
        return MountedVolume(name: context.volumeName, hostPath: path, isReadOnly: source.readOnly == true)
    }

    /// Every user may write. Made complete under another name first, so that a directory that exists is one whose mode
    /// is set; another pod that was faster wins.
    ///
    /// - Parameter staging: a name no other pod uses.
    private static func make(_ name: String, in parent: String, staging: String) throws(KernelError) {
        try FileSystem.makeDirectories(parent, mode: 0o750)
        let staging = "\(parent)/\(staging)"
        try FileSystem.removeTree(staging)
        try kernelCall("mkdir", staging) { mkdir(staging, 0o700) }
        try kernelCall("chmod", staging) { chmod(staging, 0o777) }
        guard CLinux_rename_noreplace(AT_FDCWD, staging, AT_FDCWD, "\(parent)/\(name)") != 0 else { return }
        let failure = KernelError.last("renameat2", "\(parent)/\(name)")
        try FileSystem.removeTree(staging)
        if failure.errno != .fileExists { throw failure }
    }

    /// Manifests have been validated, and so has nothing that reaches a path by another way.
    private static func component(_ name: String, _ field: String) throws(VolumeError) -> String {
        guard (1...253).contains(name.utf8.count), name.utf8.first != UInt8(ascii: "."),
            name.utf8.allSatisfy(PodVolumeLayout.isNameByte)
        else {
            throw VolumeError(
                .invalid,
                "\(field) \(JSONValue.string(String(name.prefix(128)))) must be 1 to 253 letters, digits, '-' or '.', "
                    + "and must not start with '.'")
        }
        return name
    }
}
