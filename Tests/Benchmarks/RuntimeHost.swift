import ContainerRuntime
import LinuxKernel
import Logging
import MonitorCore

/// A container runtime of our own on directories and cgroups of the run.
struct RuntimeHost: Sendable {
    let runtime: RuntimeService
    let root: ContainerRoot
    let directory: String
    let cgroups: CgroupManager

    private static let podCgroup = "kubepods/podbenchmark"

    /// Runs `body` with a started runtime.
    static func with<Value: Sendable>(
        _ scope: BenchmarkScope, _ body: @Sendable (RuntimeHost) async throws -> Value
    ) async throws -> Value {
        let directory = scope.directory + "/runtime"
        try FileSystem.makeDirectories(directory + "/logs")
        await scope.onExit("runtime directories") {
            try FileSystem.removeTree(directory)
            try FileSystem.removeTree(scope.runDirectory + "/swiftlet")
            try FileSystem.removeTree(scope.layerDirectory + "/swiftlet")
        }
        let root = try ContainerRoot(in: directory)
        let cgroups = CgroupManager(hierarchies: try CgroupHierarchies.discover(), root: "/" + scope.name)
        let configuration = RuntimeConfiguration(
            runDirectory: scope.runDirectory + "/swiftlet", stateDirectory: scope.layerDirectory + "/swiftlet",
            monitorPath: scope.options.monitorPath ?? SiblingProgram.path("swiftlet-monitor"), cgroups: cgroups)
        var logger = Logger(label: "benchmark")
        logger.logLevel = .error
        let runtime = try RuntimeService(configuration: configuration, logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            group.addTask { await runtime.run() }
            try await runtime.start()
            try cgroups.createIfNeeded(podCgroup)
            let host = RuntimeHost(runtime: runtime, root: root, directory: directory, cgroups: cgroups)
            let result: Result<Value, any Error>
            do { result = .success(try await body(host)) } catch { result = .failure(error) }
            for sandbox in await runtime.sandboxes() {
                try await runtime.stopPodSandbox(sandbox.id)
                try await runtime.removePodSandbox(sandbox.id)
            }
            return try result.get()
        }
    }

    func makeSandbox() async throws -> PodSandbox {
        try await runtime.runPodSandbox(
            PodSandboxConfig(
                podUID: "benchmark", podNamespace: "default", podName: "benchmark", hostname: ContainerLimits.hostname))
    }

    func config(_ arguments: [String], in sandbox: PodSandbox) -> ContainerConfig {
        // A container's attempt names its cgroup, and so has to be new each time.
        let attempt = UInt32.random(in: .min ... .max)
        return ContainerConfig(
            sandboxID: sandbox.id,
            metadata: ContainerMetadata(
                podUID: "benchmark", podNamespace: "default", podName: "benchmark", name: "main", attempt: attempt),
            rootLayers: [root.path], arguments: arguments, environment: ContainerLimits.environment,
            cgroupPath: Self.podCgroup + "/main.\(attempt)",
            resources: CgroupResources(
                cpuShares: ContainerLimits.cpuShares, cpuQuotaMicroseconds: ContainerLimits.cpuQuotaMicroseconds,
                memoryLimitBytes: ContainerLimits.memoryBytes, pidsLimit: ContainerLimits.processes),
            logPath: directory + "/logs/0.log")
    }

    /// Create, start, wait for the end, delete: the whole life of a container.
    func runToEnd(_ arguments: [String], in sandbox: PodSandbox) async throws {
        let container = try await runtime.createContainer(config(arguments, in: sandbox))
        try await runtime.startContainer(container.id)
        guard let record = await runtime.waitForExit(of: container.id), record.reportedExitCode == 0 else {
            throw BenchmarkError("our container did not end with 0")
        }
        try await runtime.removeContainer(container.id)
    }
}
