import Glibc
import KubernetesAPI
import KubernetesClient
import LinuxKernel
import Logging
import Synchronization
import SystemPackage

/// A whole node of the run's own: `swiftlet up` on directories, ports and addresses that nobody else uses.
struct NodeUnderTest: Sendable {
    let client: APIClient
    let logDirectory: String
    let runDirectory: String
    private let program: String
    private let agent: Agent

    /// The agent's process: another one after a restart.
    private final class Agent: Sendable {
        let command: [String]
        let errors: String
        private let current: Mutex<pid_t>

        init(_ command: [String], errors: String) throws(KernelError) {
            (self.command, self.errors) = (command, errors)
            current = Mutex(try PeerProcess.spawn(command, errors: errors))
        }

        var pid: pid_t { current.withLock { $0 } }

        func startAgain() throws(KernelError) {
            let pid = try PeerProcess.spawn(command, errors: errors)
            current.withLock { $0 = pid }
        }
    }

    var pid: pid_t { agent.pid }

    /// The local verbs' socket.
    var socket: LocalSocket { LocalSocket(path: runDirectory + "/swiftlet.sock") }

    /// Starts a node, runs `body` once it is ready, and stops it with everything it runs.
    ///
    /// - Parameters:
    ///   - name: unique within the run: pods of an earlier node would come back in its directories.
    ///   - more: options of `swiftlet up` that only this one has.
    static func with<Value: Sendable>(
        _ scope: BenchmarkScope, _ name: String, more: [String] = [],
        _ body: @Sendable (NodeUnderTest) async throws -> Value
    ) async throws -> Value {
        let program = scope.options.nodePath ?? SiblingProgram.path("swiftlet")
        guard FileSystem.exists(program) else { throw BenchmarkError("there is no \(program): give --swiftlet FILE") }
        let (root, run) = (scope.directory + "/" + name, scope.runDirectory + "/" + name)
        let (logs, manifests) = (root + "/logs", root + "/manifests")
        for directory in [run, logs, manifests] { try FileSystem.makeDirectories(directory) }
        let places = [
            "--root", root, "--run", run, "--log-dir", logs, "--manifests", manifests, "--node-name", "benchmark",
            "--node-port", "\(try LoopbackSocket.freePort())", "--pod-cidr", "10.213.0.0/24", "--cgroup-root",
            "/\(scope.name)/\(name)",
        ]
        let options = places + (scope.options.monitorPath.map { ["--monitor", $0] } ?? [])
        let listen = ["--listen", "127.0.0.1:\(try LoopbackSocket.freePort())"]
        let agent = try Agent([program, "up"] + options + listen + more, errors: root + "/output")
        await scope.onExit("node") {
            let stop = [program, "stop", "--all"] + options
            try await stopNode(agent.pid, stop, errors: root + "/stop-output")
        }
        let kubeconfig = root + "/admin.kubeconfig"
        try await Deadline.within(.seconds(30), "the node to write \(kubeconfig)") { FileSystem.exists(kubeconfig) }
        var logger = Logger(label: "benchmark")
        logger.logLevel = .error
        let client = try APIClient(configuration: Kubeconfig(contentsOf: kubeconfig).configuration(), logger: logger)
        await scope.onExit("client") { await client.shutdown() }
        try await Deadline.within(.seconds(30), "the node to be ready; its output is in \(root)/output") {
            await isReady(client)
        }
        return try await body(
            NodeUnderTest(client: client, logDirectory: logs, runDirectory: run, program: program, agent: agent))
    }

    /// A local verb for this node; what comes after its options is passed as it is.
    func command(_ verb: [String], _ separator: String, _ rest: [String]) -> [String] {
        [program] + verb + ["--run", runDirectory, separator] + rest
    }

    /// Ends the agent as a crash does. Its containers go on.
    func killAgent() throws(KernelError) {
        let pid = agent.pid
        try kernelCall("kill", "\(pid)") { kill(pid, SIGKILL) }
        var status: Int32 = 0
        try kernelCall("waitpid", "\(pid)") { waitpid(pid, &status, 0) }
    }

    func startAgent() throws(KernelError) { try agent.startAgain() }

    private static func isReady(_ client: APIClient) async -> Bool {
        guard let node = try? await client.get(Node.self, name: "benchmark") else { return false }
        return node.status?.conditions?.contains { $0.type == "Ready" && $0.status == "True" } ?? false
    }

    /// A node that does not stop when asked is killed, and its pods are ended without it.
    private static func stopNode(_ pid: pid_t, _ stop: [String], errors: String) async throws {
        let runStop = { @Sendable () throws(KernelError) -> Int32 in try PeerProcess.run(stop, errors: errors) }
        _ = try await KernelThreadPool.shared.run(runStop)
        let patience = ContinuousClock.now + .seconds(20)
        var status: Int32 = 0
        while waitpid(pid, &status, WNOHANG) == 0 {
            if ContinuousClock.now > patience {
                kill(pid, SIGKILL)
                waitpid(pid, &status, 0)
                _ = try await KernelThreadPool.shared.run(runStop)
                throw BenchmarkError("the node (pid \(pid)) did not stop by itself and was killed")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
