import ArgumentParser
import ContainerRuntime
import KubernetesAPI
import LinuxKernel
import Logging
import NodeAgent
import NodeServer
import PodNetwork
import Volumes

struct StopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "Ends all pods of this node and the node itself. It runs them again when it is started again.")

    @OptionGroup var options: NodeOptions
    @Flag(help: "Required: every pod of the node is ended.") var all = false

    func validate() throws {
        guard all else {
            throw ValidationError("give --all: single pods are ended by deleting them (kubectl delete pod NAME)")
        }
    }

    func run() async throws {
        let client = LocalClient(run: options.places.run ?? "/run/swiftlet")
        // A node that is starting does not answer yet.
        await NodeLock.waitUntilFree([client.run]) { client.isRunning }
        // No answer: the socket of a node that was killed, whose pods are ended without it.
        if client.isRunning { try? await client.stream(.POST, "/v1/stop") { _ in } }
        try await endWithoutAgent(client.run)
        print("all pods are ended")
    }

    private func endWithoutAgent(_ run: String) async throws {
        var options = options
        // What the node itself was started with: its other directories, its network.
        if options.config == nil, FileSystem.exists(NodeSettings.recordPath(run)) {
            options.config = NodeSettings.recordPath(run)
        }
        let settings = try NodeSettings(options, listen: nil)
        // A node that was just asked to end holds its directories a moment longer.
        await NodeLock.waitUntilFree([settings.run, settings.root])
        let lock = try NodeLock(directories: [settings.root, settings.run], toStop: true)
        var logger = LogOutput.logger("swiftlet")
        logger.logLevel = .warning
        let foundation = try NodeFoundation(settings, logger: logger)
        let volumes = VolumeManager(
            stateDirectory: settings.root + "/pods", objects: NoObjects(), nodeAllocatable: { [:] },
            drivers: StorageDrivers(root: settings.root, logger: logger),
            helper: FileSystemHelper(program: settings.monitorPath))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await foundation.runtime.run() }
            try await foundation.runtime.start()
            // The network is not started, which would make it anew: it takes down what there is.
            await NodeTeardown(
                runtime: foundation.runtime, network: foundation.network, volumes: volumes,
                cgroups: foundation.cgroups, logger: logger
            ).run(gracePeriod: .seconds(10))
            group.cancelAll()
        }
        withExtendedLifetime(lock) {}
    }
}

/// Nothing is mounted while everything is being taken down.
private struct NoObjects: VolumeObjectSource {
    func configMap(namespace: String, name: String) async throws(VolumeError) -> ConfigMap? { nil }
    func secret(namespace: String, name: String) async throws(VolumeError) -> Secret? { nil }
}
