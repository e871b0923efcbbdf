/// What a user namespace of its own adds to a pod's start: pods with and without one take turns.
struct UserNamespaceMeasure: Measure {
    let name = "user-namespace"

    private static let rounds = 40

    func run(in scope: BenchmarkScope) async throws -> [MeasureRow] {
        try await PodWorkload.with(scope, name) { workload in
            var (without, with) = ([Double](), [Double]())
            // The first round warms up and is not counted.
            for round in 0...Self.rounds {
                // Who is first changes, so that neither always finds what the other left.
                let order = round.isMultiple(of: 2) ? [true, false] : [false, true]
                for hostUsers in order {
                    let taken = try await Self.start(workload, "users-\(round)-\(hostUsers)", hostUsers)
                    if round == 0 { continue }
                    if hostUsers { without.append(taken) } else { with.append(taken) }
                }
            }
            let title = "pod: create → process has started, in turns"
            return [
                MeasureRow(title, "swiftlet", .milliseconds, Samples(without)),
                MeasureRow(title, "swiftlet, hostUsers: false", .milliseconds, Samples(with)),
                MeasureRow(
                    "what a user namespace adds to a pod's start", "swiftlet", .milliseconds,
                    Samples([Samples(with).median - Samples(without).median]), goal: 10),
            ]
        }
    }

    private static func start(_ workload: PodWorkload, _ name: String, _ hostUsers: Bool) async throws -> Double {
        try await Task.sleep(for: .milliseconds(40))
        let created = ResourceUsage.wallNanoseconds
        try await workload.create(name, hostUsers: hostUsers)
        try await workload.waitUntilRunning([name])
        let started = try await workload.firstOutput(of: name)
        try await workload.delete(name)
        try await workload.waitUntilGone([name])
        return ResourceUsage.milliseconds(from: created, to: started)
    }
}
