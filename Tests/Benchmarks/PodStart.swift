/// One pod at a time, 40 ms apart: how long until it runs, until everybody sees that, and until it is gone.
enum PodStart {
    static func rows(_ workload: PodWorkload, rounds: Int) async throws -> [MeasureRow] {
        var (started, reaction, running, gone) = ([Double](), [Double](), [Double](), [Double]())
        // The first round warms up and is not counted.
        for round in 0...rounds {
            try await Task.sleep(for: .milliseconds(40))
            let name = "start-\(round)"
            let created = ResourceUsage.wallNanoseconds
            try await workload.create(name)
            try await workload.waitUntilRunning([name])
            let first = try await workload.firstOutput(of: name)
            let seen = await workload.observer.sightings(of: name)
            let deleted = ResourceUsage.wallNanoseconds
            try await workload.delete(name)
            try await workload.waitUntilGone([name])
            let end = await workload.observer.sightings(of: name)
            if round == 0 { continue }
            started.append(milliseconds(created, first))
            reaction.append(milliseconds(seen.bound ?? created, first))
            running.append(milliseconds(created, seen.running ?? created))
            gone.append(milliseconds(deleted, end.gone ?? deleted))
        }
        return [
            row("pod: create → process has started", started, goal: 15),
            row("pod: watch event → process has started", reaction),
            row("pod: create → status Running in a watch", running, goal: 40),
            row("pod: delete → gone", gone, goal: 60),
        ]
    }

    private static func row(_ measure: String, _ values: [Double], goal: Double? = nil) -> MeasureRow {
        MeasureRow(measure, "swiftlet", .milliseconds, Samples(values), goal: goal)
    }

    private static func milliseconds(_ from: Int64, _ to: Int64) -> Double { Double(to - from) / 1_000_000 }
}
