import ContainerRuntime
import Glibc
import KubernetesAPI
import LinuxKernel
import SystemPackage

/// crun, with a bundle that asks for the same container as ours.
struct CrunPeer: Sendable {
    private let namespace: PeerNamespace
    private let directory: String
    private let root: ContainerRoot
    private let layerDirectory: String
    /// crun's own records, on tmpfs as on a node.
    private let stateDirectory: String

    private var errors: String { directory + "/stderr" }
    private var bundle: String { directory + "/bundle" }

    /// The bundle's root is an overlay, mounted once and for all, only in the peers' mount namespace.
    init(_ scope: BenchmarkScope, arguments: [String], root: ContainerRoot) async throws {
        let directory = scope.directory + "/crun"
        self.directory = directory
        self.root = root
        layerDirectory = scope.layerDirectory
        stateDirectory = scope.runDirectory + "/crun"
        let peerNamespace = try PeerNamespace()
        namespace = peerNamespace
        try FileSystem.makeDirectories(directory + "/bundle/rootfs", mode: 0o755)
        let config = CrunBundle.config(arguments: arguments, cgroup: "/\(scope.name)/crun")
        try FileSystem.writeAtomically(directory + "/bundle/config.json", config.serialized(), durable: false)
        await scope.onExit("crun's directory") { try FileSystem.removeTree(directory) }
        await scope.onExit("crun's cgroups") { try CgroupLeftovers.remove(scope.name + "/crun") }
        let peer = self
        try await inNamespace { () throws(KernelError) in try peer.mountRoot() }
        await scope.onExit("crun's root") {
            try await peer.inNamespace { () throws(KernelError) in try peer.unmountRoot() }
        }
    }

    /// `crun run` of the bundle, from spawn to reaping, on the overlay that is there.
    func run(withoutCgroups: Bool = false) async throws -> Duration {
        let command = self.command(["run", "--bundle", bundle, Self.newName()], withoutCgroups: withoutCgroups)
        return try await timed { () throws(KernelError) in try run(command) }
    }

    /// As ``run(withoutCgroups:)`` with an overlay made for it and removed afterwards, which an engine above crun does.
    func runWithOwnRoot() async throws -> Duration {
        let command = self.command(["run", "--bundle", bundle, Self.newName()])
        return try await timed { () throws(KernelError) in
            try mountRoot("own")
            try run(command)
            try unmountRoot("own")
        }
    }

    /// Starts a container that stays until the scope's end, and gives its name.
    func startInBackground(_ scope: BenchmarkScope) async throws -> String {
        let name = Self.newName()
        let peer = self
        _ = try await timed { () throws(KernelError) in
            try peer.run(peer.command(["run", "--detach", "--bundle", peer.bundle, name]))
        }
        await scope.onExit("crun's container") {
            _ = try await peer.timed { () throws(KernelError) in
                try peer.run(peer.command(["delete", "--force", name]))
            }
        }
        return name
    }

    /// `crun exec` in a running container, from spawn to reaping.
    func execute(_ arguments: [String], in name: String) async throws -> Duration {
        let command = self.command(["exec", name] + arguments)
        return try await timed { () throws(KernelError) in try run(command) }
    }

    private static func newName() -> String { "benchmark-\(UInt32.random(in: .min ... .max))" }

    private func command(_ arguments: [String], withoutCgroups: Bool = false) -> [String] {
        let manager = withoutCgroups ? "disabled" : "cgroupfs"
        return ["crun", "--root", stateDirectory, "--cgroup-manager", manager] + arguments
    }

    /// The status is 0, or the peer's own words are the error.
    private func run(_ command: [String]) throws(KernelError) {
        guard try PeerProcess.run(command, errors: errors) == 0 else {
            let words = try FileSystem.readText(errors).split(separator: "\n").joined(separator: "; ")
            throw KernelError("crun \(command.dropFirst(5).joined(separator: " "))", words, errno: .ioError)
        }
    }

    private func inNamespace<Value: Sendable>(
        _ body: @escaping @Sendable () throws(KernelError) -> Value
    ) async throws(KernelError) -> Value {
        let namespace = namespace
        return try await KernelThreadPool.shared.run { () throws(KernelError) -> Value in try namespace.run(body) }
    }

    /// Only what happens inside counts: neither the thread's start nor its entering the namespace is the peer's.
    private func timed(_ body: @escaping @Sendable () throws(KernelError) -> Void) async throws(KernelError) -> Duration
    {
        try await inNamespace { () throws(KernelError) -> Duration in
            let clock = ContinuousClock()
            let start = clock.now
            try body()
            return clock.now - start
        }
    }

    private func mountRoot(_ name: String = "shared") throws(KernelError) {
        let layer = layerDirectory + "/crun-" + name
        try FileSystem.makeDirectories(layer + "/upper", mode: 0o755)
        try FileSystem.makeDirectories(layer + "/work")
        try Mount.mount(
            type: "overlay", source: "overlay", target: bundle + "/rootfs",
            options: "lowerdir=\(root.path),upperdir=\(layer)/upper,workdir=\(layer)/work")
    }

    private func unmountRoot(_ name: String = "shared") throws(KernelError) {
        try Mount.unmount(bundle + "/rootfs")
        try FileSystem.removeTree(layerDirectory + "/crun-" + name)
    }
}
