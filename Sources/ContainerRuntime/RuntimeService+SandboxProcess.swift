import LinuxKernel

/// The process that holds the PID namespace of a pod whose containers share one. To the runtime it is a container like others,
/// with a monitor that an agent finds again; nobody else gets to see it.
extension RuntimeService {
    /// Neither root nor anybody of an image: containers of the pod see it, and must not be able to use it.
    private static let userID: UInt32 = 65535
    /// As the node's own processes: it goes last, for everything in the pod goes with it.
    private static let outOfMemoryScore: Int32 = -998

    /// The running process of a sandbox; nil for one that needs none, or has lost it.
    func sandboxProcess(of sandbox: PodSandbox) -> ContainerInstance? {
        entries(in: sandbox).first { $0.status.config.isSandboxProcess && $0.status.isRunning }?.status
    }

    func startSandboxProcess(of sandbox: PodSandbox, in cgroup: String) async throws(RuntimeError) {
        let config = ContainerConfig(
            sandboxID: sandbox.id,
            metadata: ContainerMetadata(
                podUID: sandbox.podUID, podNamespace: sandbox.podNamespace, podName: sandbox.podName, name: "",
                attempt: sandbox.attempt),
            rootLayers: [sandbox.emptyDirectory], arguments: ["/pause"], userID: Self.userID, groupID: Self.userID,
            mounts: [
                ContainerMount(
                    hostPath: configuration.monitorPath, containerPath: "/pause", isFile: true, readOnly: true)
            ],
            capabilities: CapabilitySet(mask: 0), noNewPrivileges: true, readOnlyRoot: true,
            outOfMemoryScore: Self.outOfMemoryScore,
            // No name of a container has an underscore.
            cgroupPath: "\(cgroup)/sandbox_\(sandbox.attempt)", logPath: "", isSandboxProcess: true)
        let instance = try await createContainer(config)
        try await startContainer(instance.id)
    }

    func stopSandboxProcess(of sandbox: PodSandbox) async throws(RuntimeError) {
        for entry in entries(in: sandbox) where entry.status.config.isSandboxProcess {
            try await stopContainer(entry.status.id, gracePeriod: .zero)
        }
    }
}
