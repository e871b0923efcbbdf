/// How a new process gets into a cgroup.
public struct CgroupJoinPoints: Hashable, Sendable {
    /// The directory in the unified hierarchy, for `CLONE_INTO_CGROUP`; `nil` on a host without v2.
    public let v2Directory: String?
    /// The `tasks` files of the v1 hierarchies. A process that has only one thread writes `0` to each: unlike a write
    /// to `cgroup.procs` that does not wait for an RCU grace period (10–15 ms on a quiet machine).
    public let v1TasksFiles: [String]

    public init(v2Directory: String?, v1TasksFiles: [String]) {
        self.v2Directory = v2Directory
        self.v1TasksFiles = v1TasksFiles
    }
}
