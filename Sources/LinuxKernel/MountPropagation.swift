import CLinux
import Glibc
import SystemPackage

/// How mounts made on one side of a mount travel (mount_namespaces(7)).
public struct MountPropagation: Hashable, Sendable {
    /// What is mounted here shows at every other mount of the group, and the other way round.
    public let isShared: Bool
    /// What is mounted at the master shows here.
    public let hasMaster: Bool

    /// Of the mount that `path` is on.
    public static func of(_ path: String) throws(KernelError) -> MountPropagation {
        let place = try OwnedDescriptor.open(path, O_PATH)
        let information = try FileSystem.readText("/proc/self/fdinfo/\(place.raw)", limit: 4096)
        let line = information.split(separator: "\n").first { $0.hasPrefix("mnt_id:") }
        let identifier = line?.split { $0 == ":" || $0 == "\t" || $0 == " " }.last
        let table = try FileSystem.readText("/proc/self/mountinfo", limit: 64 << 20)
        guard let identifier, let found = MountPropagation(of: identifier, in: table) else {
            throw KernelError("find the mount of", path, errno: .noSuchFileOrDirectory)
        }
        return found
    }

    /// From the optional fields of a line of proc_pid_mountinfo(5): those between the sixth field and a single hyphen.
    init?(of identifier: Substring, in table: String) {
        for line in table.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.first == identifier, fields.count > 6 else { continue }
            let optional = fields[6...].prefix { $0 != "-" }
            isShared = optional.contains { $0.hasPrefix("shared:") }
            hasMaster = optional.contains { $0.hasPrefix("master:") }
            return
        }
        return nil
    }
}
