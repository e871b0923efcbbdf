import Glibc
import LinuxKernel

/// One run's own places, and everything it has to undo, undone last first.
actor BenchmarkScope {
    /// Unique on this host: names the directory and the cgroups.
    nonisolated let name: String
    nonisolated let directory: String
    /// A tmpfs, as /run is on a node: for what does not outlive a boot, ours and the peers'.
    nonisolated let runDirectory: String
    /// For writable layers.
    nonisolated let layerDirectory: String
    nonisolated let options: BenchmarkOptions
    private var cleanups: [(what: String, body: @Sendable () async throws -> Void)] = []

    private init(options: BenchmarkOptions) throws(KernelError) {
        self.options = options
        let name = "swiftlet-benchmark-\(getpid())"
        let runDirectory = "/tmp/\(name)/run"
        self.name = name
        self.runDirectory = runDirectory
        directory = "/tmp/" + name
        layerDirectory = options.layerDirectory.map { $0 + "/" + name } ?? runDirectory + "/layers"
        try FileSystem.makeDirectories(runDirectory, mode: 0o755)
        try Mount.mount(type: "tmpfs", source: "tmpfs", target: runDirectory, options: "mode=755")
        try FileSystem.makeDirectories(layerDirectory)
    }

    /// Runs `body` with a scope of its own, which leaves nothing behind, however `body` ends.
    static func with<Value: Sendable>(
        _ options: BenchmarkOptions, _ body: @Sendable (BenchmarkScope) async throws -> Value
    ) async throws -> Value {
        let scope = try BenchmarkScope(options: options)
        let result: Result<Value, any Error>
        do { result = .success(try await body(scope)) } catch { result = .failure(error) }
        await scope.cleanUp()
        return try result.get()
    }

    /// Runs `body` and then undoes what it has put on the scope.
    nonisolated func nested<Value: Sendable>(
        _ body: @Sendable () async throws -> Value
    ) async throws -> Value {
        let depth = await cleanups.count
        let result: Result<Value, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        await undo(downTo: depth)
        return try result.get()
    }

    /// Puts an undoing on the stack.
    func onExit(_ what: String, _ body: @escaping @Sendable () async throws -> Void) {
        cleanups.append((what, body))
    }

    private func undo(downTo depth: Int) async {
        while cleanups.count > depth, let cleanup = cleanups.popLast() {
            do { try await cleanup.body() } catch { Progress.say("not undone: \(cleanup.what): \(error)") }
        }
    }

    private func cleanUp() async {
        await undo(downTo: 0)
        attempt { try CgroupLeftovers.remove(name) }
        attempt { try FileSystem.removeTree(layerDirectory) }
        attempt { for point in try Mount.points(below: directory) { try Mount.unmount(point) } }
        attempt { try FileSystem.removeTree(directory) }
    }

    /// One that fails does not keep the others from being done.
    private nonisolated func attempt(_ body: () throws -> Void) {
        do { try body() } catch { Progress.say("not undone: \(error)") }
    }
}
