import Glibc
import LinuxKernel

extension ResourceLimit {
    /// What every container starts with. Never the agent's own limits: those depend on how the agent was started, and a
    /// container must be the same under systemd, from a shell and after a restart.
    ///
    /// Open files: 1024, because programs size tables by it, and 524288 for those that ask. Stack: 8 MiB, and as much as wanted
    /// for those that ask. Locked memory: 8 MiB. (systemd's defaults, and the kernel's.) Processes, address space, data, file
    /// size and time: bounded by the container's cgroup and volumes, not here; a limit of processes would count those of a user's
    /// other containers.
    ///
    /// Core files: one byte, the kernel's way to say none at all. With zero it still starts a program named in
    /// kernel.core_pattern, as root on the host, with the memory of the container's process on its standard input.
    /// - Parameter highest: the highest hard limit that may be set for a `RLIMIT_*`.
    public static func containerDefaults(highest: (UInt32) -> UInt64) -> [ResourceLimit] {
        let megabyte: UInt64 = 1 << 20
        let wanted = [
            ResourceLimit(resource: openFiles, soft: 1024, hard: 524_288),
            ResourceLimit(resource: coreFileBytes, soft: 1, hard: 1),
            ResourceLimit(resource: stackBytes, soft: 8 * megabyte, hard: .max),
            ResourceLimit(resource: lockedBytes, soft: 8 * megabyte, hard: 8 * megabyte),
        ]
        let unlimited = [processes, addressSpaceBytes, dataBytes, fileBytes, processorSeconds]
        return (wanted + unlimited.map { ResourceLimit(resource: $0, soft: .max, hard: .max) }).map { limit in
            let hard = min(limit.hard, highest(limit.resource))
            return ResourceLimit(resource: limit.resource, soft: min(limit.soft, hard), hard: hard)
        }
    }

    /// What this process may set: with CAP_SYS_RESOURCE anything that the kernel takes, else no more than its own.
    public static func highestHere(_ resource: UInt32) -> UInt64 {
        if mayBeRaisedHere { return resource == openFiles ? kernelOpenFiles : .max }
        var own = rlimit()
        return getrlimit(__rlimit_resource_t(resource), &own) == 0 ? UInt64(own.rlim_max) : 0
    }

    /// Whether this process has CAP_SYS_RESOURCE (number 24), which hard limits and OOM scores of its children need.
    public static var mayBeRaisedHere: Bool {
        let status = (try? FileSystem.readText("/proc/self/status")) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        let mask = line?.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) } ?? 0
        return mask & (1 << 24) != 0
    }

    /// Above fs.nr_open the kernel refuses a limit of open files, whoever asks.
    private static var kernelOpenFiles: UInt64 {
        let text = (try? FileSystem.readText("/proc/sys/fs/nr_open")) ?? ""
        return UInt64(text.prefix { $0.isNumber }) ?? 1024
    }

    static let openFiles = UInt32(RLIMIT_NOFILE.rawValue)
    static let coreFileBytes = UInt32(RLIMIT_CORE.rawValue)
    static let stackBytes = UInt32(RLIMIT_STACK.rawValue)
    static let lockedBytes = UInt32(__RLIMIT_MEMLOCK.rawValue)
    static let processes = UInt32(__RLIMIT_NPROC.rawValue)
    static let addressSpaceBytes = UInt32(RLIMIT_AS.rawValue)
    static let dataBytes = UInt32(RLIMIT_DATA.rawValue)
    static let fileBytes = UInt32(RLIMIT_FSIZE.rawValue)
    static let processorSeconds = UInt32(RLIMIT_CPU.rawValue)
}
