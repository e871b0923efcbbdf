import Glibc
import LinuxKernel

/// A container that dies, and how long its pod is without it. Only the first restart: later ones wait on purpose.
struct RestartMeasure: Measure {
    let name = "restart"

    private static let rounds = 20

    private struct Gap {
        let instruction: Double
        let seen: Double
    }

    func run(in scope: BenchmarkScope) async throws -> [MeasureRow] {
        try await PodWorkload.with(scope, name) { workload in
            // The workload's script exits with 1 at SIGUSR1.
            try await Self.rows(workload, "container exits", signal: SIGUSR1)
                + Self.rows(workload, "container is killed", signal: SIGKILL)
        }
    }

    private static func rows(_ workload: PodWorkload, _ death: String, signal: Int32) async throws -> [MeasureRow] {
        var gaps: [Gap] = []
        // The first round warms up and is not counted.
        for round in 0...rounds {
            try await Task.sleep(for: .milliseconds(40))
            let gap = try await measure(workload, "restart-\(signal)-\(round)", signal: signal)
            if round > 0 { gaps.append(gap) }
        }
        return [
            MeasureRow(
                "\(death) → the next one's process has started", "swiftlet", .milliseconds,
                Samples(gaps.map(\.instruction)), goal: 50),
            MeasureRow(
                "\(death) → running again in a watch", "swiftlet", .milliseconds, Samples(gaps.map(\.seen))),
        ]
    }

    private static func measure(_ workload: PodWorkload, _ name: String, signal: Int32) async throws -> Gap {
        try await workload.create(name)
        try await workload.waitUntilRunning([name])
        // The trap is set once the first line is there.
        _ = try await workload.firstOutput(of: name)
        let container = await workload.observer.sightings(of: name).containerID
        guard let process = try NodeProcesses.containers(run: workload.node.runDirectory)[container] else {
            throw BenchmarkError("pod \(name) runs, but there is no process of its container \(container)")
        }
        // Ahead of the signal: what the kernel needs to end the process counts.
        let death = ResourceUsage.wallNanoseconds
        try kernelCall("kill", "\(process.pid)") { kill(process.pid, signal) }
        try await workload.observer.wait(for: [name], "running again") { $0.restarted != nil }
        let first = try await workload.firstOutput(of: name, attempt: 1)
        let seen = await workload.observer.sightings(of: name).restarted ?? death
        try await workload.delete(name)
        try await workload.waitUntilGone([name])
        return Gap(
            instruction: ResourceUsage.milliseconds(from: death, to: first),
            seen: ResourceUsage.milliseconds(from: death, to: seen))
    }
}
