import ContainerRuntime
import LinuxKernel

/// One container's create + start + wait + delete, of `true`, against `crun run` of the same container.
struct ContainerLifeMeasure: Measure {
    let name: String
    let title: String
    let pause: Duration

    /// A machine at rest between two containers, as most nodes are.
    static let paced = ContainerLifeMeasure(
        name: "container-paced", title: "one container, 40 ms apart", pause: .milliseconds(40))
    static let backToBack = ContainerLifeMeasure(
        name: "container-back-to-back", title: "one container, back to back", pause: .zero)

    func run(in scope: BenchmarkScope) async throws -> [MeasureRow] {
        try await RuntimeHost.with(scope) { host in
            let crun = try await CrunPeer(scope, arguments: ContainerRoot.trueCommand, root: host.root)
            let shared = try await host.makeSandbox()
            let alternation = Alternation(
                measure: title, rounds: scope.options.rounds, pause: pause, timeLimit: .seconds(30))
            let rows = try await alternation.run([
                Contender.timed("swiftlet, its own sandbox") {
                    let sandbox = try await host.makeSandbox()
                    try await host.runToEnd(ContainerRoot.trueCommand, in: sandbox)
                    try await host.runtime.removePodSandbox(sandbox.id)
                },
                Contender("crun run") { try await crun.run() },
                Contender.timed("swiftlet, in a sandbox") {
                    try await host.runToEnd(ContainerRoot.trueCommand, in: shared)
                },
                Contender("crun run + its overlay") { try await crun.runWithOwnRoot() },
                Contender("crun run, cgroups off") { try await crun.run(withoutCgroups: true) },
            ])
            return Self.table(rows)
        }
    }

    private static func table(_ rows: [MeasureRow]) -> [MeasureRow] {
        let (own, crun, inSandbox, crunOverlay, crunBare) = (rows[0], rows[1], rows[2], rows[3], rows[4])
        // The strictest reading is the goal: ours makes and removes its root, crun finds one.
        return [
            own.compared(with: crun, goal: 0.8), own.compared(with: crunOverlay), own.compared(with: crunBare),
            inSandbox.compared(with: crun), crun, crunOverlay, crunBare,
        ]
    }
}
