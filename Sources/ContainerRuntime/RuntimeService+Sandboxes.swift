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
    public var sysctls: [String: String]

    public init(
        podUID: String, podNamespace: String, podName: String, attempt: UInt32 = 0, hostname: String,
        hostNetwork: Bool = false, sysctls: [String: String] = [:]
    ) {
        self.podUID = podUID
        self.podNamespace = podNamespace
        self.podName = podName
        self.attempt = attempt
        self.hostname = hostname
        self.hostNetwork = hostNetwork
        self.sysctls = sysctls
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
        let sandbox = PodSandbox(
            id: id, podUID: config.podUID, podNamespace: config.podNamespace, podName: config.podName,
            attempt: config.attempt, hostname: config.hostname, hostNetwork: config.hostNetwork,
            sysctls: config.sysctls, createdAt: RealTime.nanoseconds(),
            directory: configuration.sandboxesDirectory + "/" + id)
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
        sandboxesByID[id] = sandbox
        readySandboxes.insert(id)
        return sandbox
    }

    /// Gives up a sandbox's namespaces once none of its containers runs. Its exited containers and their records stay.
    public func stopPodSandbox(_ id: String) async throws(RuntimeError) {
        guard let sandbox = sandboxesByID[id], readySandboxes.contains(id) else { return }
        for entry in containersByID.values where entry.status.sandboxID == id {
            try await stopContainer(entry.status.id, gracePeriod: .zero)
        }
        try await pool.run { () throws(RuntimeError) in
            do throws(KernelError) { try SandboxNamespaces.remove(sandbox) } catch { throw RuntimeError(error) }
        }
        readySandboxes.remove(id)
    }

    /// Removes a sandbox without running containers; its exited ones go with it.
    public func removePodSandbox(_ id: String) async throws(RuntimeError) {
        guard let sandbox = sandboxesByID[id] else { return }
        for entry in containersByID.values where entry.status.sandboxID == id {
            try await removeContainer(entry.status.id)
        }
        readySandboxes.remove(id)
        try await pool.run { () throws(RuntimeError) in
            do throws(KernelError) {
                try SandboxNamespaces.remove(sandbox)
                try FileSystem.removeTree(sandbox.directory)
            } catch { throw RuntimeError(error) }
        }
        sandboxesByID[id] = nil
    }
}
