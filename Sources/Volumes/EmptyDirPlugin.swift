import Glibc
import KubernetesAPI
import LinuxKernel

/// A directory that starts empty and lives as long as the pod, on disk or in memory.
struct EmptyDirPlugin: VolumePlugin {
    static let directoryName = "kubernetes.io~empty-dir"

    let source: EmptyDirVolumeSource

    func mount(_ context: VolumeContext) throws(VolumeError) -> MountedVolume {
        let group = try context.groupID()
        switch source.medium ?? "" {
        case "":
            try volumeCall { () throws(KernelError) in try Self.makeOnDisk(context.directory, group: group) }
        case "Memory":
            let owner = try context.memoryOwner(group: group)
            try volumeCall { () throws(KernelError) in
                try MemoryFileSystem.ensure(
                    at: context.directory, sizeBytes: context.memoryBytes(sizeLimit: source.sizeLimit),
                    mode: Self.mode(group), userID: owner.userID ?? 0, groupID: owner.groupID)
            }
            return MountedVolume(
                name: context.volumeName, hostPath: context.directory, hasPodIDs: context.ids != nil)
        case let medium:
            let size = try context.hugePageSize(medium: medium)
            let owner = try context.memoryOwner(group: group)
            try volumeCall { () throws(KernelError) in
                try MemoryFileSystem.ensureHugePages(
                    at: context.directory, pageSizeBytes: size, mode: Self.mode(group), userID: owner.userID ?? 0,
                    groupID: owner.groupID)
            }
            return MountedVolume(
                name: context.volumeName, hostPath: context.directory, hasPodIDs: context.ids != nil)
        }
        return MountedVolume(name: context.volumeName, hostPath: context.directory)
    }

    /// Every user may write; with an owning group new files get that group.
    private static func mode(_ group: UInt32?) -> UInt32 { group == nil ? 0o777 : 0o2777 }

    /// Made complete under another name and then renamed, so that a volume that exists is one whose mode and owner are
    /// set; both are then the containers' to change.
    private static func makeOnDisk(_ directory: String, group: UInt32?) throws(KernelError) {
        if FileSystem.exists(directory) { return }
        let (parent, name) = directory.splitAtLastSlash
        try FileSystem.makeDirectories(parent, mode: 0o750)
        let staging = "\(parent)/.\(name).new"
        try FileSystem.removeTree(staging)
        try kernelCall("mkdir", staging) { mkdir(staging, 0o700) }
        if let group { try kernelCall("chown", staging) { lchown(staging, uid_t.max, group) } }
        try kernelCall("chmod", staging) { chmod(staging, mode(group)) }
        try kernelCall("rename", directory) { rename(staging, directory) }
    }
}

extension VolumeContext {
    /// How large a volume in memory may grow: what the pod may use at most, or less when the volume says so. Nil leaves
    /// it to the kernel (half the machine).
    func memoryBytes(sizeLimit: Quantity?) -> Int64? {
        var candidates = [nodeAllocatable["memory"], sizeLimit]
        if pod.spec.isLimited("memory") { candidates.append(pod.spec.totalLimits["memory"]) }
        return candidates.compactMap { $0?.value }.filter { $0 > 0 }.min()
    }
}

extension VolumeContext {
    /// Bytes of one page of `HugePages` or `HugePages-<size>`: a size that the pod asks for.
    func hugePageSize(medium: String) throws(VolumeError) -> Int64 {
        let field = "\(fieldPath).emptyDir.medium \(JSONValue.string(medium))"
        let prefix = "hugepages-"
        let containers = pod.spec.containers + (pod.spec.initContainers ?? [])
        let asked = Set(
            containers.flatMap { container in
                [container.resources?.requests, container.resources?.limits]
                    .flatMap { ($0 ?? [:]).filter { $0.value.value > 0 }.map(\.key) }
            }.filter { $0.hasPrefix(prefix) })
        var wanted = asked
        if medium != "HugePages" {
            guard medium.hasPrefix("HugePages-") else {
                throw VolumeError(
                    .unsupported,
                    "\(field) is not supported by this node; use \"\", \"Memory\", \"HugePages\" or \"HugePages-<size>\""
                )
            }
            wanted = asked.intersection([prefix + medium.dropFirst(prefix.utf8.count)])
        }
        guard wanted.count == 1, let name = wanted.first,
            let size = try? Quantity(parsing: String(name.dropFirst(prefix.utf8.count))), size.value > 0
        else {
            throw VolumeError(
                .invalid, "\(field): the pod must ask for huge pages of \(medium == "HugePages" ? "one" : "that") size")
        }
        return size.value
    }
}

extension String {
    /// An absolute path's parent and last component.
    var splitAtLastSlash: (parent: String, name: String) {
        guard let slash = lastIndex(of: "/") else { return (".", self) }
        return (String(self[..<slash]), String(self[index(after: slash)...]))
    }
}
