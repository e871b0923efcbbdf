import LinuxKernel
import Logging
import MonitorCore

/// What a sandbox is to be.
public struct PodSandboxConfig: Hashable, Sendable {
    public var podUID: String
    public var podNamespace: String
    public var podName: String
    public var attempt: UInt32
    public var hostname: String
    public var hostNetwork: Bool
    public var hostIPC: Bool
    public var processNamespace: ProcessNamespace
    /// Set by ``RuntimeService/applySysctls(ofSandbox:)`` once the network is there.
    public var sysctls: [String: String]
    /// Below which the sandbox's own process gets its cgroup, if it has one; the cgroup exists.
    public var cgroupPath: String
    /// A user namespace of its own, in which no id is one of the host's.
    public var hasUserNamespace: Bool
    /// Kept with it, for an agent after this one.
    public var labels: [String: String]

    public init(
        podUID: String, podNamespace: String, podName: String, attempt: UInt32 = 0, hostname: String,
        hostNetwork: Bool = false, hostIPC: Bool = false, processNamespace: ProcessNamespace = .container,
        sysctls: [String: String] = [:], cgroupPath: String = "", hasUserNamespace: Bool = false,
        labels: [String: String] = [:]
    ) {
        self.podUID = podUID
        self.podNamespace = podNamespace
        self.podName = podName
        self.attempt = attempt
        self.hostname = hostname
        self.hostNetwork = hostNetwork
        self.hostIPC = hostIPC
        self.processNamespace = processNamespace
        self.sysctls = sysctls
        self.cgroupPath = cgroupPath
        self.hasUserNamespace = hasUserNamespace
        self.labels = labels
    }
}

extension RuntimeService {
    /// Makes the namespaces of a pod. The network in them is the caller's.
    public func runPodSandbox(_ config: PodSandboxConfig) async throws(RuntimeError) -> PodSandbox {
        guard config.hostname.utf8.count <= 64 else {
            throw RuntimeError(.invalidConfiguration, "hostname \"\(config.hostname)\" is longer than 64 bytes")
        }
        let id = Identifier.random()
        let (configuration, bootID) = (configuration, bootID)
        let ids = try allocateIDs(for: config)
        let sandbox = PodSandbox(
            id: id, podUID: config.podUID, podNamespace: config.podNamespace, podName: config.podName,
            attempt: config.attempt, hostname: config.hostname, hostNetwork: config.hostNetwork,
            hostIPC: config.hostIPC, processNamespace: config.processNamespace, sysctls: config.sysctls, ids: ids,
            labels: config.labels, createdAt: RealTime.nanoseconds(),
            directory: configuration.sandboxesDirectory + "/" + id)
        do throws(RuntimeError) {
            try await pool.run { () throws(RuntimeError) in
                do throws(KernelError) {
                    try FileSystem.makeDirectories(sandbox.directory)
                    try SandboxNamespaces.create(sandbox)
                    let record = SandboxRecord(bootID: bootID, sandbox: sandbox)
                    try FileSystem.writeAtomically(sandbox.directory + "/record", record.encoded(), durable: false)
                } catch {
                    try? SandboxRecovery.discard(sandbox.directory)
                    throw RuntimeError(error)
                }
            }
        } catch {
            releaseIDs(ofPod: config.podUID)
            throw error
        }
        sandboxesByID[id] = sandbox
        readySandboxes.insert(id)
        if sandbox.processNamespace == .pod {
            do throws(RuntimeError) { try await startSandboxProcess(of: sandbox, in: config.cgroupPath) } catch {
                try? await removePodSandbox(id)
                throw error
            }
        }
        return sandbox
    }

    /// Sets the kernel parameters of a sandbox whose interfaces exist. Done once: later calls change nothing.
    public func applySysctls(ofSandbox id: String) async throws(RuntimeError) {
        guard let sandbox = sandboxesByID[id], readySandboxes.contains(id) else { return }
        try await pool.run { () throws(RuntimeError) in
            do throws(KernelError) { try SandboxNamespaces.applySysctls(of: sandbox) } catch {
                throw RuntimeError(error)
            }
        }
    }

    /// After a launch that failed in it: a sandbox whose namespaces somebody has unmounted takes no container ever again, so it is
    /// ready no more and its pod gets a new one.
    func giveUpIfUnpinned(_ sandbox: PodSandbox) async {
        let isPinned = await pool.run {
            // Not known is no reason to end what runs in it.
            (try? Mount.points(below: sandbox.directory)).map { sandbox.isPinned(at: Set($0)) } ?? true
        }
        guard !isPinned, readySandboxes.remove(sandbox.id) != nil else { return }
        logger.warning(
            "a pod's namespaces are gone, it needs a new sandbox",
            metadata: [
                "pod": "\(sandbox.podNamespace)/\(sandbox.podName)", "namespace": "\(sandbox.podNamespace)",
                "uid": "\(sandbox.podUID)",
            ])
    }

    /// Gives up a sandbox's namespaces once none of its containers runs. Its exited containers and their records stay.
    public func stopPodSandbox(_ id: String) async throws(RuntimeError) {
        guard let sandbox = sandboxesByID[id], readySandboxes.contains(id) else { return }
        for entry in entries(in: sandbox) where !entry.status.config.isSandboxProcess {
            try await stopContainer(entry.status.id, gracePeriod: .zero)
        }
        try await stopSandboxProcess(of: sandbox)
        try await pool.run { () throws(RuntimeError) in
            do throws(KernelError) { try SandboxNamespaces.remove(sandbox) } catch { throw RuntimeError(error) }
            // Its directory may be gone by now: nothing is left to be marked then.
            try? FileSystem.writeAtomically(sandbox.stoppedMark, [], durable: false)
        }
        readySandboxes.remove(id)
    }

    /// Removes a sandbox without running containers; its exited ones go with it.
    public func removePodSandbox(_ id: String) async throws(RuntimeError) {
        guard let sandbox = sandboxesByID[id] else { return }
        try await stopSandboxProcess(of: sandbox)
        for entry in entries(in: sandbox) { try await removeContainer(entry.status.id) }
        readySandboxes.remove(id)
        try await pool.run { () throws(RuntimeError) in
            do throws(KernelError) {
                try SandboxNamespaces.remove(sandbox)
                try FileSystem.removeTree(sandbox.directory)
            } catch { throw RuntimeError(error) }
        }
        sandboxesByID[id] = nil
        releaseIDs(ofPod: sandbox.podUID)
    }
}
