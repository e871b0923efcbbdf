/// What a whole node costs and how fast it is. One node for all of it, from empty to full and back.
struct NodeMeasure: Measure {
    let name = "node"

    private static let podCount = 50
    private static let bursts = 3

    func run(in scope: BenchmarkScope) async throws -> [MeasureRow] {
        try await PodWorkload.with(scope, name) { try await measure($0, idle: scope.options.idle) }
    }

    private func measure(_ workload: PodWorkload, idle: Duration) async throws -> [MeasureRow] {
        let pid = workload.node.pid
        var rows = try NodeMemory.rows(agent: pid, pods: 0)
        rows.append(try await NodeIdle.row(agent: pid, pods: 0, during: idle))
        try await workload.create("first")
        try await workload.waitUntilRunning(["first"])
        rows += try NodeMemory.rows(agent: pid, pods: 1)
        rows += try await PodStart.rows(workload, rounds: 20)
        try await workload.delete("first")
        try await workload.waitUntilGone(["first"])
        var burst = PodBurst(count: Self.podCount)
        for index in 0..<Self.bursts {
            try await burst.create(workload, index)
            if index == Self.bursts - 1 {
                rows += try NodeMemory.rows(agent: pid, pods: Self.podCount)
                rows.append(try await NodeIdle.row(agent: pid, pods: Self.podCount, during: idle))
            }
            try await burst.delete(workload, index)
        }
        return rows + burst.rows
    }
}
