/// Lets contenders take turns, A B A B …, so that whatever else the machine does meets all of them alike.
struct Alternation: Sendable {
    let measure: String
    let rounds: Int
    /// Between two runs: a machine that has come to rest shows waits (RCU grace periods) that a busy one hides.
    let pause: Duration
    /// No further round begins after this time.
    let timeLimit: Duration

    /// One row for each contender, in order.
    func run(_ contenders: [Contender]) async throws -> [MeasureRow] {
        let clock = ContinuousClock()
        let deadline = clock.now + timeLimit
        var wall = [[Double]](repeating: [], count: contenders.count)
        var cpu = wall
        // The first round of each fills caches and compiles filters; it is not counted.
        for round in 0...rounds where clock.now < deadline || round <= 1 {
            for (index, contender) in contenders.enumerated() {
                if pause > .zero { try await clock.sleep(for: pause) }
                let before = ResourceUsage.cpuMilliseconds
                let elapsed = try await contender.run()
                let used = ResourceUsage.cpuMilliseconds - before
                if round == 0 { continue }
                wall[index].append(elapsed.milliseconds)
                cpu[index].append(used)
            }
        }
        return contenders.indices.map { index in
            MeasureRow(
                measure, contenders[index].subject, .milliseconds, Samples(wall[index]),
                cpuMilliseconds: Samples(cpu[index]))
        }
    }
}
