import LinuxKernel

/// A command run in a pod as a person at the node runs it: a program that starts, asks the node, follows the command and ends.
struct ClientExecutionMeasure: Measure {
    let name = "client-exec"

    func run(in scope: BenchmarkScope) async throws -> [MeasureRow] {
        let errors = scope.directory + "/client-exec-errors"
        return try await PodWorkload.with(scope, name) { workload in
            try await workload.create("followed")
            try await workload.waitUntilRunning(["followed"])
            let command = workload.node.command(["exec", "followed"], "--", ContainerRoot.trueCommand)
            let alternation = Alternation(
                measure: "`swiftlet exec` of true in a pod, its own start included, 40 ms apart",
                rounds: scope.options.rounds, pause: .milliseconds(40), timeLimit: .seconds(15))
            return try await alternation.run([
                Contender.timed("swiftlet") {
                    let status = try await KernelThreadPool.shared.run { () throws(KernelError) in
                        try PeerProcess.run(command, errors: errors)
                    }
                    guard status == 0 else {
                        throw BenchmarkError("swiftlet exec ended with \(status): \(try FileSystem.readText(errors))")
                    }
                }
            ]).map { row in
                var row = row
                row.goal = 25
                return row
            }
        }
    }
}
