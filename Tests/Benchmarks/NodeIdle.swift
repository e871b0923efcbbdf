import Glibc

/// What an agent costs that has nothing to do.
enum NodeIdle {
    static func row(agent: pid_t, pods: Int, during idle: Duration) async throws -> MeasureRow {
        // What the last change set off (status, events, lease) is not idleness.
        try await Task.sleep(for: .seconds(2))
        Progress.say("idling for \(idle) with \(pods) pods …")
        let before = try ResourceUsage.cpuMilliseconds(ofProcess: agent)
        try await Task.sleep(for: idle)
        let used = try ResourceUsage.cpuMilliseconds(ofProcess: agent) - before
        let share = Samples([used / idle.milliseconds * 100])
        return MeasureRow(
            "CPU while idle, \(pods) pods", "swiftlet", .percentOfCore, share, goal: pods == 0 ? 0.2 : 1)
    }
}
