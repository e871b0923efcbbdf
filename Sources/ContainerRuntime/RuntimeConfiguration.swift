public import LinuxKernel
public import MonitorCore

/// Where a runtime keeps its things, and with what it works.
public struct RuntimeConfiguration: Sendable {
    /// tmpfs: sandboxes, containers, sockets. Gone at reboot.
    public var runDirectory: String
    /// Disk: the containers' writable layers.
    public var stateDirectory: String
    /// Path of `swiftlet-monitor`.
    public var monitorPath: String
    public var cgroups: CgroupManager
    /// Host ids for pods with user namespaces, or why there are none.
    public var idRanges: Result<IDRangePool, IDRangeError>
    /// How much of each container's log is kept; nil keeps all of it.
    public var logLimit: LogLimit?

    public init(
        runDirectory: String, stateDirectory: String, monitorPath: String, cgroups: CgroupManager,
        idRanges: Result<IDRangePool, IDRangeError> = .success(.standard), logLimit: LogLimit? = nil
    ) {
        self.runDirectory = runDirectory
        self.stateDirectory = stateDirectory
        self.monitorPath = monitorPath
        self.cgroups = cgroups
        self.idRanges = idRanges
        self.logLimit = logLimit
    }

    /// Seccomp profiles that containers may name.
    public var seccompDirectory: String { stateDirectory + "/seccomp" }
    var sandboxesDirectory: String { runDirectory + "/sandboxes" }
    var containersDirectory: String { runDirectory + "/containers" }

    func runDirectory(of container: String) -> String { containersDirectory + "/" + container }
    /// The filter that a container of a profile of its own was started with: commands in it get the same.
    func seccompFile(of container: String) -> String { runDirectory(of: container) + "/seccomp" }
    func layerDirectory(of container: String) -> String { stateDirectory + "/containers/" + container }
}
