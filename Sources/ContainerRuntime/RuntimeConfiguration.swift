public import LinuxKernel

/// Where a runtime keeps its things, and with what it works.
public struct RuntimeConfiguration: Sendable {
    /// tmpfs: sandboxes, containers, sockets. Gone at reboot.
    public var runDirectory: String
    /// Disk: the containers' writable layers.
    public var stateDirectory: String
    /// Path of `swiftlet-monitor`.
    public var monitorPath: String
    public var cgroups: CgroupManager

    public init(runDirectory: String, stateDirectory: String, monitorPath: String, cgroups: CgroupManager) {
        self.runDirectory = runDirectory
        self.stateDirectory = stateDirectory
        self.monitorPath = monitorPath
        self.cgroups = cgroups
    }

    var sandboxesDirectory: String { runDirectory + "/sandboxes" }
    var containersDirectory: String { runDirectory + "/containers" }

    func runDirectory(of container: String) -> String { containersDirectory + "/" + container }
    func layerDirectory(of container: String) -> String { stateDirectory + "/containers/" + container }
}
