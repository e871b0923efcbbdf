import CLinux
import Glibc
import LinuxKernel
import MonitorCore
import SystemPackage

/// Whether pods of this host can have user namespaces.
public enum UserNamespaceSupport {
    /// What the running kernel lacks, in one line with the fix; nil when it lacks nothing.
    public static func problemOfKernel() -> String? {
        var name = utsname()
        uname(&name)
        let release = withUnsafeBytes(of: &name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        let limit = (try? FileSystem.readText("/proc/sys/user/max_user_namespaces")).flatMap {
            UInt64($0.split(whereSeparator: \.isWhitespace).first ?? "")
        }
        return problem(release: release, limit: limit)
    }

    /// - Parameters:
    ///   - release: as of uname(2), such as `6.1.0-18-amd64`.
    ///   - limit: of /proc/sys/user/max_user_namespaces; nil when the kernel has no user namespaces.
    static func problem(release: String, limit: UInt64?) -> String? {
        let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        guard numbers.count == 2, (numbers[0], numbers[1]) >= (5, 19) else {
            return "Linux \(release) cannot map the ids of image layers: run Linux 5.19 or later"
        }
        guard let limit else { return "the kernel has no user namespaces: run one with CONFIG_USER_NS" }
        return limit > 0 ? nil : "user.max_user_namespaces is 0: set it to 1000 or more with sysctl -w"
    }

    /// Tries it: a user namespace, and a mapped mount of the directory that containers' files are on.
    static func problem(_ configuration: RuntimeConfiguration) -> String? {
        if let problem = problemOfKernel() { return problem }
        let pool: IDRangePool
        do throws(IDRangeError) { pool = try configuration.idRanges.get() } catch { return error.description }
        do throws(KernelError) {
            let process = try NamespaceProcess.start()
            if let range = pool.range(0) { try process.make(range) }
            let namespace = try OwnedDescriptor.open(process.path(of: "user"), O_RDONLY)
            return try problem(mapping: configuration.stateDirectory, namespace)
        } catch { return "\(error)" }
    }

    private static func problem(
        mapping directory: String, _ namespace: borrowing OwnedDescriptor
    ) throws(KernelError) -> String? {
        let tree = OwnedDescriptor(
            owning: try kernelCall("open_tree", directory) {
                CLinux_open_tree(AT_FDCWD, directory, CLinux_OPEN_TREE_CLONE | CLinux_OPEN_TREE_CLOEXEC)
            })
        if CLinux_mount_map_ids(tree.raw, CLinux_AT_EMPTY_PATH, namespace.raw) == 0 { return nil }
        let failure = KernelError.last("mount_setattr", directory)
        guard failure.errno == .invalidArgument else { throw failure }
        return "the file system of \(directory) cannot map ids: put it on ext4, xfs or btrfs with --root"
    }
}
