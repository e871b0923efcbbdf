public import ContainerRuntime
import KubernetesAPI
public import LinuxKernel
public import Logging
public import PodNetwork
public import Volumes

/// Ends every pod of a node and gives back all that the node has made on its host, but keeps what was asked of it: at its next
/// start it runs the same pods again. Behind `swiftlet stop --all`, with the agent running or not.
public struct NodeTeardown: Sendable {
    private let runtime: RuntimeService
    private let network: any NetworkPlugin
    private let volumes: VolumeManager
    private let cgroups: CgroupManager
    private let logger: Logger

    public init(
        runtime: RuntimeService, network: any NetworkPlugin, volumes: VolumeManager, cgroups: CgroupManager,
        logger: Logger
    ) {
        self.runtime = runtime
        self.network = network
        self.volumes = volumes
        self.cgroups = cgroups
        self.logger = logger
    }

    /// In reverse order of making. What fails is told and does not keep the rest from going.
    public func run(gracePeriod: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            for instance in await runtime.containers() where instance.exitRecord == nil {
                group.addTask {
                    await attempt("container not stopped") {
                        try await runtime.stopContainer(instance.id, gracePeriod: gracePeriod)
                    }
                }
            }
        }
        for sandbox in await runtime.sandboxes() {
            await network.detach(sandboxID: sandbox.id)
            await attempt("sandbox not removed") { try await runtime.removePodSandbox(sandbox.id) }
        }
        for instance in await runtime.containers() {
            await attempt("container not removed") { try await runtime.removeContainer(instance.id) }
        }
        await attempt("volumes not unmounted") {
            for uid in try await volumes.podUIDsOnDisk() {
                await attempt("volumes not unmounted") { try await volumes.unmount(podUID: uid) }
            }
        }
        await attempt("cgroups not removed") {
            let cgroups = cgroups
            try await KernelThreadPool.shared.run { () throws(KernelError) in try cgroups.removeTree("") }
        }
        await network.stop(removingBridge: true)
    }

    private func attempt(_ phrase: Logger.Message, _ body: () async throws -> Void) async {
        do { try await body() } catch { logger.warning(phrase, metadata: ["error": "\(error)"]) }
    }
}
