import Glibc
import KubernetesAPI
import LinuxKernel

/// Pulling and unpacking an image of 300 MB in 30 layers from a registry on this machine, against whoever of the peers is installed.
struct PullMeasure: Measure {
    let name = "pull"

    private static let rounds = 3
    private static let maker = "Tests/Benchmarks/make-image"

    func run(in scope: BenchmarkScope) async throws -> [MeasureRow] {
        let registry = try await LoopbackRegistry(scope)
        let layout = scope.directory + "/image"
        try await Self.run(["python3", Self.maker, layout], scope)
        let image = try await registry.push(layout, as: "benchmark:1")
        return try await NodeUnderTest.with(scope, name, more: ["--registries", registry.settings]) { node in
            let account = try CPUAccount(scope, agent: node.pid)
            let program = scope.options.nodePath ?? SiblingProgram.path("swiftlet")
            var pullers = [
                ImagePullPeer(
                    subject: "swiftlet",
                    pull: [program, "image", "pull", "--quiet", "--run", node.runDirectory, image],
                    remove: [program, "image", "rm", "--run", node.runDirectory, image],
                    // The agent works, and what it starts.
                    cpuMilliseconds: { () throws -> Double in try account.milliseconds() })
            ]
            pullers += try await ImagePullPeer.installed(scope, image: image)
            var rows = try await Self.alternate(pullers, scope)
            if let first = rows.first {
                // containerd is the yardstick where it is installed.
                rows[0] =
                    rows.dropFirst().first { $0.subject == "containerd" }
                    .map { first.compared(with: $0, goal: 0.9) } ?? first
            }
            rows.append(try await Self.memory(account, agent: node.pid, pullers[0], scope))
            return rows
        }
    }

    private static func alternate(_ pullers: [ImagePullPeer], _ scope: BenchmarkScope) async throws -> [MeasureRow] {
        var (wall, cpu) = ([[Double]](), [[Double]]())
        for _ in pullers { (wall, cpu) = (wall + [[]], cpu + [[]]) }
        // The first round fills caches.
        for round in 0...rounds {
            for (index, puller) in pullers.enumerated() {
                Progress.say("\(puller.subject) pulls …")
                let before = try puller.cpuMilliseconds()
                let start = ContinuousClock.now
                try await run(puller.pull, scope)
                let elapsed = start.duration(to: .now).milliseconds
                let used = try puller.cpuMilliseconds() - before
                try await run(puller.remove, scope)
                guard round > 0 else { continue }
                wall[index].append(elapsed)
                cpu[index].append(used)
            }
        }
        return pullers.indices.map { index in
            MeasureRow(
                "pull and unpack, 300 MB in 30 layers", pullers[index].subject, .milliseconds, Samples(wall[index]),
                cpuMilliseconds: Samples(cpu[index]))
        }
    }

    /// The agent's and its unpackers' memory together, at its highest. Looked at in a pull of its own: looking costs time.
    private static func memory(
        _ account: CPUAccount, agent: pid_t, _ puller: ImagePullPeer, _ scope: BenchmarkScope
    ) async throws -> MeasureRow {
        let peak = try await withThrowingTaskGroup(of: Double?.self) { group in
            group.addTask {
                try await run(puller.pull, scope)
                return nil
            }
            group.addTask {
                var peak = 0.0
                while !Task.isCancelled {
                    peak = max(peak, NodeMemory.mebibytes(try account.processes(), of: agent))
                    try? await Task.sleep(for: .milliseconds(20))
                }
                return peak
            }
            // The pull ends first.
            _ = try await group.next()
            group.cancelAll()
            return try await group.next().flatMap { $0 } ?? 0
        }
        return MeasureRow("memory (PSS) at most during the pull", "swiftlet", .mebibytes, Samples([peak]), goal: 64)
    }

    /// Runs a program to its end, off the cooperative pool.
    static func run(_ command: [String], _ scope: BenchmarkScope) async throws {
        let errors = scope.directory + "/pull-errors"
        let status = try await KernelThreadPool.shared.run { () throws(KernelError) in
            try PeerProcess.run(command, errors: errors)
        }
        guard status == 0 else {
            let text = (try? FileSystem.readText(errors, limit: 1 << 16)) ?? ""
            throw BenchmarkError("\(command.joined(separator: " ")) ended with \(status): \(text.suffix(300))")
        }
    }
}
