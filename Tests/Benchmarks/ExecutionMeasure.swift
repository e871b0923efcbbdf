import ContainerRuntime
import LinuxKernel

/// A command run in a running container, its output collected, against `crun exec`.
struct ExecutionMeasure: Measure {
    let name = "exec"

    func run(in scope: BenchmarkScope) async throws -> [MeasureRow] {
        try await RuntimeHost.with(scope) { host in
            let crun = try await CrunPeer(scope, arguments: ContainerRoot.sleepCommand, root: host.root)
            let name = try await crun.startInBackground(scope)
            let sandbox = try await host.makeSandbox()
            let container = try await host.runtime.createContainer(host.config(ContainerRoot.sleepCommand, in: sandbox))
            try await host.runtime.startContainer(container.id)
            var rows: [MeasureRow] = []
            let pacings: [(String, Duration)] = [
                ("exec of true, 40 ms apart", .milliseconds(40)), ("exec of true, back to back", .zero),
            ]
            for (title, pause) in pacings {
                let alternation = Alternation(
                    measure: title, rounds: scope.options.rounds, pause: pause, timeLimit: .seconds(15))
                var pair = try await alternation.run([
                    Contender.timed("swiftlet") {
                        let result = try await host.runtime.executeSync(ContainerRoot.trueCommand, in: container.id)
                        guard result.exitCode == 0 else {
                            throw BenchmarkError("our exec ended with \(result.exitCode)")
                        }
                    },
                    Contender("crun exec") { try await crun.execute(ContainerRoot.trueCommand, in: name) },
                ])
                // Our commands are the monitor's children, whose CPU time this process does not see.
                pair[0].cpuMilliseconds = nil
                rows += [pair[0].compared(with: pair[1], goal: 0.8), pair[1]]
            }
            return rows
        }
    }
}
