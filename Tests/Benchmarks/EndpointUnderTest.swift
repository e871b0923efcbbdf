import Glibc
import KubernetesAPI
import KubernetesClient
import LinuxKernel
import Logging
import SystemPackage

/// A control endpoint without a node: `swiftlet server` on directories and a port that nobody else uses.
struct EndpointUnderTest: Sendable {
    let client: APIClient
    let pid: pid_t

    /// Starts an endpoint, runs `body` once it answers, and stops it.
    static func with<Value: Sendable>(
        _ scope: BenchmarkScope, _ name: String, _ body: @Sendable (EndpointUnderTest) async throws -> Value
    ) async throws -> Value {
        let program = scope.options.nodePath ?? SiblingProgram.path("swiftlet")
        guard FileSystem.exists(program) else { throw BenchmarkError("there is no \(program): give --swiftlet FILE") }
        let (root, run) = (scope.directory + "/" + name, scope.runDirectory + "/" + name)
        let (logs, manifests) = (root + "/logs", root + "/manifests")
        for directory in [run, logs, manifests] { try FileSystem.makeDirectories(directory) }
        let command = [
            program, "server", "--root", root, "--run", run, "--log-dir", logs, "--manifests", manifests, "--node-name",
            "benchmark", "--listen", "127.0.0.1:\(try LoopbackSocket.freePort())",
        ]
        let pid = try PeerProcess.spawn(command, errors: root + "/output")
        await scope.onExit("endpoint") { try await stop(pid) }
        let kubeconfig = root + "/admin.kubeconfig"
        try await Deadline.within(.seconds(30), "the endpoint to write \(kubeconfig)") { FileSystem.exists(kubeconfig) }
        var logger = Logger(label: "benchmark")
        logger.logLevel = .error
        let client = try APIClient(configuration: Kubeconfig(contentsOf: kubeconfig).configuration(), logger: logger)
        await scope.onExit("client") { await client.shutdown() }
        try await Deadline.within(.seconds(30), "the endpoint to answer; its output is in \(root)/output") {
            (try? await client.get(Namespace.self, name: "default")) != nil
        }
        return try await body(EndpointUnderTest(client: client, pid: pid))
    }

    private static func stop(_ pid: pid_t) async throws {
        kill(pid, SIGTERM)
        let patience = ContinuousClock.now + .seconds(20)
        var status: Int32 = 0
        while waitpid(pid, &status, WNOHANG) == 0 {
            if ContinuousClock.now > patience {
                kill(pid, SIGKILL)
                waitpid(pid, &status, 0)
                throw BenchmarkError("the endpoint (pid \(pid)) did not stop by itself and was killed")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
