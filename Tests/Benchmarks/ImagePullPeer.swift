import Glibc
import LinuxKernel

/// Someone who pulls images, by command.
struct ImagePullPeer: Sendable {
    let subject: String
    let pull: [String]
    /// Takes back what ``pull`` has done.
    let remove: [String]
    /// CPU time of whoever works for it, so far.
    let cpuMilliseconds: @Sendable () throws -> Double

    /// Those of containerd and podman that are installed, and skopeo, which downloads only.
    static func installed(_ scope: BenchmarkScope, image: String) async throws -> [ImagePullPeer] {
        var peers: [ImagePullPeer] = []
        if let containerd = path("containerd"), let client = path("ctr") {
            peers.append(try await Self.containerd(containerd, client: client, scope, image: image))
        } else {
            Progress.say("containerd is not installed: it is left out")
        }
        let children: @Sendable () throws -> Double = { ResourceUsage.cpuMilliseconds }
        if let podman = path("podman") {
            let places = ["--root", scope.directory + "/podman", "--runroot", scope.runDirectory + "/podman"]
            peers.append(
                ImagePullPeer(
                    subject: "podman", pull: [podman] + places + ["pull", "--quiet", "--tls-verify=false", image],
                    remove: [podman] + places + ["rmi", image], cpuMilliseconds: children))
        } else {
            Progress.say("podman is not installed: it is left out")
        }
        let download = scope.directory + "/skopeo"
        peers.append(
            ImagePullPeer(
                subject: "skopeo, download only",
                pull: [
                    "skopeo", "copy", "--quiet", "--insecure-policy", "--src-tls-verify=false", "docker://\(image)",
                    "oci:\(download):1",
                ], remove: ["rm", "-r", download], cpuMilliseconds: children))
        return peers
    }

    private static func path(_ program: String) -> String? {
        ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"].map { "\($0)/\(program)" }
            .first { FileSystem.exists($0) }
    }

    /// A containerd of the run's own.
    private static func containerd(
        _ program: String, client: String, _ scope: BenchmarkScope, image: String
    ) async throws -> ImagePullPeer {
        let (root, state) = (scope.directory + "/containerd", scope.runDirectory + "/containerd")
        let socket = state + "/containerd.sock"
        try FileSystem.makeDirectories(root)
        try FileSystem.makeDirectories(state)
        let configuration = """
            version = 2
            root = "\(root)"
            state = "\(state)"
            disabled_plugins = ["io.containerd.grpc.v1.cri"]
            [grpc]
              address = "\(socket)"
            """
        try FileSystem.writeAtomically(root + "/config.toml", Array(configuration.utf8), durable: false)
        let pid = try PeerProcess.spawn([program, "--config", root + "/config.toml"], errors: root + "/errors")
        await scope.onExit("containerd") {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
            try FileSystem.removeTree(root)
        }
        try await Deadline.within(.seconds(20), "containerd to listen") { FileSystem.exists(socket) }
        let images = [client, "--address", socket, "images"]
        return ImagePullPeer(
            subject: "containerd", pull: images + ["pull", "--plain-http", image],
            remove: images + ["rm", "--sync", image],
            // Its helpers and the client are children of this program or of it: the client is reaped here.
            cpuMilliseconds: {
                try ResourceUsage.cpuMilliseconds(ofProcess: pid) + ResourceUsage.cpuMilliseconds
            })
    }
}
