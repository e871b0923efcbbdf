import Glibc
import KubernetesAPI
import KubernetesClient
import LinuxKernel
import Logging
import SystemPackage

/// A whole node of the run's own: `swiftlet up` on directories, ports and addresses that nobody else uses.
struct NodeUnderTest: Sendable {
    let pid: pid_t
    let client: APIClient
    let logDirectory: String

    /// Starts a node, runs `body` once it is ready, and stops it with everything it runs.
    static func with<Value: Sendable>(
        _ scope: BenchmarkScope, _ body: @Sendable (NodeUnderTest) async throws -> Value
    ) async throws -> Value {
        let program = scope.options.nodePath ?? SiblingProgram.path("swiftlet")
        guard FileSystem.exists(program) else { throw BenchmarkError("there is no \(program): give --swiftlet FILE") }
        let (root, run) = (scope.directory + "/node", scope.runDirectory + "/node")
        let (logs, manifests) = (root + "/logs", root + "/manifests")
        for directory in [run, logs, manifests] { try FileSystem.makeDirectories(directory) }
        let places = [
            "--root", root, "--run", run, "--log-dir", logs, "--manifests", manifests, "--node-name", "benchmark",
            "--node-port", "\(try freePort())", "--pod-cidr", "10.213.0.0/24", "--cgroup-root", "/\(scope.name)/node",
        ]
        let options = places + (scope.options.monitorPath.map { ["--monitor", $0] } ?? [])
        let listen = ["--listen", "127.0.0.1:\(try freePort())"]
        let pid = try PeerProcess.spawn([program, "up"] + options + listen, errors: root + "/output")
        await scope.onExit("node") {
            let stop = [program, "stop", "--all"] + options
            try await stopNode(pid, stop, errors: root + "/stop-output")
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
        return try await body(NodeUnderTest(pid: pid, client: client, logDirectory: logs))
    }

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

    /// A port that was free a moment ago.
    private static func freePort() throws(KernelError) -> UInt16 {
        let probe = OwnedDescriptor(
            owning: try kernelCall("socket") { socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0) }
        )
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(probe.raw, pointer, length) == 0 ? getsockname(probe.raw, pointer, &length) : -1
            }
        }
        guard code == 0 else { throw KernelError.last("bind", "127.0.0.1:0") }
        return UInt16(bigEndian: address.sin_port)
    }
}
