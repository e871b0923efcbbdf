import Glibc
import KubernetesAPI
import LinuxKernel

/// Debian's docker-registry on 127.0.0.1, without TLS, for as long as the scope.
struct LoopbackRegistry: Sendable {
    let host: String
    /// A `registries.yaml` for a node that is to pull from it.
    let settings: String
    private let scope: BenchmarkScope

    init(_ scope: BenchmarkScope) async throws {
        self.scope = scope
        let directory = scope.directory + "/registry"
        try FileSystem.makeDirectories(directory)
        let port = try LoopbackSocket.freePort()
        host = "127.0.0.1:\(port)"
        settings = directory + "/registries.yaml"
        let registries: JSONValue = ["registries": [["host": .string(host), "plainHTTP": true]]]
        try FileSystem.writeAtomically(settings, registries.serialized(), durable: false)
        let configuration: JSONValue = [
            "version": "0.1", "log": ["level": "error"], "http": ["addr": .string(host)],
            "storage": ["filesystem": ["rootdirectory": .string(directory + "/data")]],
        ]
        try FileSystem.writeAtomically(directory + "/config.yml", configuration.serialized(), durable: false)
        let pid: pid_t
        do throws(KernelError) {
            pid = try PeerProcess.spawn(
                ["docker-registry", "serve", directory + "/config.yml"], errors: directory + "/errors")
        } catch { throw BenchmarkError("docker-registry: \(error): install it") }
        await scope.onExit("registry") {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
            try FileSystem.removeTree(directory)
        }
    }

    /// Puts an OCI layout's image `1` into it; gives the name to pull it by.
    func push(_ layout: String, as name: String) async throws -> String {
        // It takes a moment to listen.
        let end = ContinuousClock.now + .seconds(20)
        while true {
            do {
                try await PullMeasure.run(
                    [
                        "skopeo", "copy", "--quiet", "--insecure-policy", "--dest-tls-verify=false",
                        "oci:\(layout):1", "docker://\(host)/\(name)",
                    ], scope)
                return "\(host)/\(name)"
            } catch {
                guard ContinuousClock.now < end else { throw error }
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }
}
