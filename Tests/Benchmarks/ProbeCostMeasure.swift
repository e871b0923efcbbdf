import Glibc
import KubernetesAPI
import LinuxKernel

/// What a node costs that does nothing but probe its pods by commands.
struct ProbeCostMeasure: Measure {
    let name = "probes"

    private static let podCount = 100
    private static let probe = Probe(
        exec: ExecAction(command: ["/bin/busybox", "true"]), timeoutSeconds: 5, periodSeconds: 10)

    /// Milliseconds of CPU time, by who used them, and probes run.
    private struct Reading {
        var all: Double
        var agent: Double
        var monitors: Double
        var probes: Double
    }

    func run(in scope: BenchmarkScope) async throws -> [MeasureRow] {
        try await PodWorkload.with(scope, name) { workload in
            let account = try CPUAccount(scope, agent: workload.node.pid)
            let names = (0..<Self.podCount).map { "probed-\($0)" }
            try await workload.createAll(names, readinessProbe: Self.probe)
            try await workload.observer.wait(for: names, "ready") { $0.readyChanges.last?.isReady == true }
            // What the last change set off (status, events) is not probing.
            try await Task.sleep(for: .seconds(2))
            let idle = scope.options.idle
            Progress.say("probing \(names.count) pods for \(idle) …")
            let before = try await Self.read(workload.node, account)
            try await Task.sleep(for: idle)
            let after = try await Self.read(workload.node, account)
            return try Self.rows(before, after, during: idle)
        }
    }

    private static func read(_ node: NodeUnderTest, _ account: CPUAccount) async throws -> Reading {
        let metrics = String(decoding: try await node.socket.get("/metrics/probes"), as: UTF8.self)
        let runs = metrics.split(separator: "\n").filter { $0.hasPrefix("prober_probe_total") }
            .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }
        let monitors = try NodeProcesses.containers(run: node.runDirectory).values
        guard monitors.count == podCount else {
            throw BenchmarkError("\(podCount) pods run, but \(monitors.count) monitors")
        }
        return Reading(
            all: try account.milliseconds(), agent: try ResourceUsage.cpuMilliseconds(ofProcess: node.pid),
            monitors: try monitors.map { try ResourceUsage.cpuMilliseconds(ofThread: $0.monitor) }.reduce(0, +),
            probes: runs.reduce(0, +))
    }

    private static func rows(_ before: Reading, _ after: Reading, during idle: Duration) throws -> [MeasureRow] {
        let probes = after.probes - before.probes
        let due = Double(podCount) * (idle / .seconds(10))
        guard probes >= due * 0.8 else { throw BenchmarkError("only \(probes) of \(due) probes were run") }
        let (all, agent) = (after.all - before.all, after.agent - before.agent)
        let monitors = after.monitors - before.monitors
        let title = "CPU, \(podCount) pods with an exec probe every 10 s"
        func row(_ title: String, _ subject: String, _ used: Double, goal: Double? = nil) -> MeasureRow {
            MeasureRow(
                title, subject, .percentOfCore, Samples([used / idle.milliseconds * 100]),
                cpuMilliseconds: Samples([used / probes]), goal: goal)
        }
        return [
            row(title, "swiftlet with all it starts", all, goal: 3),
            row("of that", "agent", agent),
            row("of that", "monitors", monitors),
            row("of that", "the probes' own processes", max(0, all - agent - monitors)),
        ]
    }
}
