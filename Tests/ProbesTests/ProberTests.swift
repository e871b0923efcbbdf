import KubernetesAPI
import Probes
import Synchronization
import TestSupport
import Testing

@Suite("Prober", .timeLimit(.minutes(5)))
struct ProberTests {
    @Test("a container without probes is started and ready from the beginning")
    func withoutProbes() async throws {
        try await ProberWorld.with { world in
            await world.prober.track(.test())
            let verdicts = await world.prober.verdicts(podUID: "pod")
            #expect(verdicts == ProbeVerdicts(ready: ["c1": true], started: ["c1": true]))
            #expect(await world.prober.verdicts(podUID: "other") == ProbeVerdicts())
        }
    }

    @Test("readiness begins false, is probed at once, and its change is told")
    func readiness() async throws {
        try await ProberWorld.with { world in
            await world.prober.track(.test(readiness: Probe()))
            #expect(await world.prober.verdicts(podUID: "pod").started == ["c1": true])
            #expect(await world.nextChange() == "pod")
            #expect(await world.prober.verdicts(podUID: "pod").ready == ["c1": true])
            #expect(world.runner.log == ["Readiness c1 at 0"])
        }
    }

    @Test("liveness fails at its threshold with its own grace, told run by run, and is then left alone")
    func liveness() async throws {
        try await ProberWorld.with { world in
            world.runner.script(.liveness, [.ok, .bad, .failure(message: "still no"), .bad])
            await world.prober.track(
                .test(liveness: Probe(failureThreshold: 3, terminationGracePeriodSeconds: 7), readiness: nil))
            for _ in 0..<4 { await world.sleepThrough(.seconds(10)) }
            #expect(await world.nextChange() == "pod")
            let verdicts = await world.prober.verdicts(podUID: "pod")
            #expect(verdicts.failed == ["c1": .init(kind: .liveness, gracePeriodSeconds: 7)])
            #expect(verdicts.started == ["c1": true])
            #expect(
                world.runner.log == [
                    "Liveness c1 at 10", "Liveness c1 at 20", "Liveness c1 at 30", "Liveness c1 at 40",
                ])
            #expect(
                world.events == [
                    "Unhealthy: Liveness probe failed: no", "Unhealthy: Liveness probe failed: still no",
                    "Unhealthy: Liveness probe failed: no",
                ])
            // A new instance begins anew, and only it is probed.
            await world.prober.forget(containerID: "c1")
            await world.prober.track(.test("c2", liveness: Probe()))
            #expect(await world.prober.verdicts(podUID: "pod").failed == [:])
            await world.sleepThrough(.seconds(10))
            await world.runner.waitForRuns(5)
            #expect(world.runner.log.last == "Liveness c2 at 50")
        }
    }

    @Test("nothing but the startup probe runs until it succeeds, then readiness at once")
    func startup() async throws {
        try await ProberWorld.with { world in
            world.runner.script(.startup, [.bad, .ok])
            await world.prober.track(.test(startup: Probe(), liveness: Probe(), readiness: Probe()))
            let before = ProbeVerdicts(ready: ["c1": false], started: ["c1": false])
            #expect(await world.prober.verdicts(podUID: "pod") == before)
            await world.sleepThrough(.seconds(10))
            await world.sleepThrough(.seconds(10))
            #expect(await world.nextChange() == "pod")
            #expect(await world.nextChange() == "pod")
            let after = ProbeVerdicts(ready: ["c1": true], started: ["c1": true])
            #expect(await world.prober.verdicts(podUID: "pod") == after)
            #expect(world.runner.log == ["Startup c1 at 10", "Startup c1 at 20", "Readiness c1 at 20"])
            #expect(world.events == ["Unhealthy: Startup probe failed: no"])
            await world.sleepThrough(.seconds(10))
            await world.runner.waitForRuns(5)
            #expect(Set(world.runner.log.suffix(2)) == ["Liveness c1 at 30", "Readiness c1 at 30"])
        }
    }

    @Test("a startup probe that fails for good has the container killed with its grace")
    func startupFailure() async throws {
        try await ProberWorld.with { world in
            world.runner.script(.startup, [.bad])
            await world.prober.track(
                .test(startup: Probe(failureThreshold: 1, terminationGracePeriodSeconds: 3), readiness: Probe()))
            await world.sleepThrough(.seconds(10))
            #expect(await world.nextChange() == "pod")
            let verdicts = await world.prober.verdicts(podUID: "pod")
            #expect(verdicts.failed == ["c1": .init(kind: .startup, gracePeriodSeconds: 3)])
            #expect(verdicts.ready == ["c1": false])
            #expect(world.runner.log == ["Startup c1 at 10"])
        }
    }

    @Test("a probe that cannot be run is tried three times and told once")
    func errors() async throws {
        try await ProberWorld.with { world in
            world.runner.script(.readiness, [.odd, .odd, .error(message: "last"), .warning(message: "elsewhere")])
            await world.prober.track(.test(readiness: Probe()))
            await world.sleepThrough(.seconds(10))
            #expect(await world.nextChange() == "pod")
            #expect(
                world.events == [
                    "Unhealthy: Readiness probe errored and resulted in unknown state: last",
                    "ProbeWarning: Readiness probe warning: elsewhere",
                ])
            #expect(world.runner.log.count == 4)
            let metrics = try #require(await world.prober.metrics().first)
            #expect(metrics.unknown == 1)
            #expect(metrics.successful == 1)
            #expect(metrics.failed == 0)
            #expect(metrics.durationBuckets.reduce(0, +) == 1)
            #expect(metrics.kind == .readiness)
            #expect(metrics.containerName == "app")
        }
    }

    @Test("figures outlive an instance and end with the pod")
    func metrics() async throws {
        try await ProberWorld.with { world in
            world.runner.script(.readiness, [.bad, .ok])
            await world.prober.track(.test(readiness: Probe()))
            await world.clock.waitForSleeper { $0 == .seconds(10) }
            await world.prober.forget(containerID: "c1")
            await world.prober.track(.test("c2", readiness: Probe()))
            #expect(await world.nextChange() == "pod")
            let metrics = await world.prober.metrics()
            #expect(metrics.map(\.failed) == [1])
            #expect(metrics.map(\.successful) == [1])
            await world.prober.forget(podUID: "pod")
            #expect(await world.prober.metrics() == [])
            #expect(await world.prober.verdicts(podUID: "pod") == ProbeVerdicts())
        }
    }

    @Test("while a pod ends, only its readiness is probed and nothing is killed for a probe")
    func termination() async throws {
        try await ProberWorld.with { world in
            world.runner.script(.liveness, [.bad])
            world.runner.script(.readiness, [.ok, .ok, .bad])
            await world.prober.track(.test(liveness: Probe(failureThreshold: 1), readiness: Probe(failureThreshold: 1)))
            #expect(await world.nextChange() == "pod")
            await world.sleepThrough(.seconds(10))
            #expect(await world.nextChange() == "pod")
            #expect(await world.prober.verdicts(podUID: "pod").failed.count == 1)
            await world.prober.stopLivenessAndStartup(podUID: "pod")
            #expect(await world.prober.verdicts(podUID: "pod").failed == [:])
            await world.sleepThrough(.seconds(10))
            #expect(await world.nextChange() == "pod")
            #expect(await world.prober.verdicts(podUID: "pod").ready == ["c1": false])
            #expect(world.runner.log.count { $0.hasPrefix("Liveness") } == 1)
        }
    }

    @Test("a probe due earlier than all others does not wait for them")
    func earlier() async throws {
        try await ProberWorld.with { world in
            await world.prober.track(.test(liveness: Probe(periodSeconds: 1000)))
            await world.clock.waitForSleeper { $0 == .seconds(1000) }
            await world.prober.track(.test("c2", pod: "other", readiness: Probe()))
            #expect(await world.nextChange() == "other")
            #expect(world.runner.log == ["Readiness c2 at 0"])
        }
    }

    @Test("an unready container can be probed before its time, a ready one is left in peace")
    func readinessSoon() async throws {
        try await ProberWorld.with { world in
            world.runner.script(.readiness, [.bad, .ok])
            await world.prober.track(.test(readiness: Probe(periodSeconds: 100)))
            await world.clock.waitForSleeper { $0 == .seconds(100) }
            await world.prober.probeReadinessSoon(podUID: "pod")
            #expect(await world.nextChange() == "pod")
            await world.prober.probeReadinessSoon(podUID: "pod")
            await world.sleepThrough(.seconds(100))
            await world.runner.waitForRuns(3)
            #expect(world.runner.log == ["Readiness c1 at 0", "Readiness c1 at 0", "Readiness c1 at 100"])
        }
    }

    @Test("runs beyond the limit wait for the end of another")
    func limit() async throws {
        try await ProberWorld.with(maximumConcurrentRuns: 1) { world in
            world.runner.hold("c1")
            await world.prober.track(.test(readiness: Probe()))
            await world.runner.waitForRuns(1)
            await world.prober.track(.test("c2", pod: "other", readiness: Probe()))
            #expect(world.runner.log == ["Readiness c1 at 0"])
            world.runner.release("c1")
            #expect(Set([await world.nextChange(), await world.nextChange()]) == ["pod", "other"])
            #expect(world.runner.log == ["Readiness c1 at 0", "Readiness c2 at 0"])
            #expect(world.runner.mostAtOnce == 1)
        }
    }

    @Test("different probes run at the same time")
    func together() async throws {
        try await ProberWorld.with { world in
            for id in ["c1", "c2", "c3"] {
                world.runner.hold(id)
                await world.prober.track(.test(id, readiness: Probe()))
            }
            await world.runner.waitForRuns(3)
            #expect(world.runner.mostAtOnce == 3)
        }
    }

    @Test("the late result of a forgotten instance is dropped, even when its id is tracked again")
    func lateResult() async throws {
        try await ProberWorld.with(maximumConcurrentRuns: 1) { world in
            world.runner.script(.readiness, [.bad, .ok])
            world.runner.hold("c1")
            await world.prober.track(.test(readiness: Probe(failureThreshold: 1)))
            await world.runner.waitForRuns(1)
            await world.prober.forget(containerID: "c1")
            await world.prober.track(.test(readiness: Probe(failureThreshold: 1)))
            world.runner.release("c1")
            #expect(await world.nextChange() == "pod")
            #expect(await world.prober.verdicts(podUID: "pod").ready == ["c1": true])
            #expect(world.events == [])
        }
    }

    @Test("an adopted container keeps what the status said until its probes say otherwise")
    func adoption() async throws {
        try await ProberWorld.with(random: 0.5) { world in
            let target = ProbeTarget.test(
                startup: Probe(), readiness: Probe(), runningFor: .seconds(60), wasStarted: true, wasReady: true)
            await world.prober.track(target)
            let kept = ProbeVerdicts(ready: ["c1": true], started: ["c1": true])
            #expect(await world.prober.verdicts(podUID: "pod") == kept)
            await world.prober.track(
                .test("c2", pod: "unknown", readiness: Probe(), runningFor: .seconds(60)))
            #expect(await world.prober.verdicts(podUID: "unknown") == ProbeVerdicts(started: ["c2": true]))
            await world.sleepThrough(.seconds(5))
            #expect(await world.nextChange() == "unknown")
            #expect(Set(world.runner.log) == ["Readiness c1 at 5", "Readiness c2 at 5"])
        }
    }

    @Test("tracking an instance again only takes in its pod's address")
    func trackAgain() async throws {
        try await ProberWorld.with { world in
            var target = ProbeTarget.test(readiness: Probe())
            target.podIP = nil
            await world.prober.track(target)
            #expect(await world.nextChange() == "pod")
            target.podIP = "10.0.0.9"
            await world.prober.track(target)
            #expect(await world.prober.verdicts(podUID: "pod").ready == ["c1": true])
            await world.sleepThrough(.seconds(10))
            await world.runner.waitForRuns(2)
            #expect(world.runner.addresses == [nil, "10.0.0.9"])
        }
    }

    @Test("cancelling ends the runs under way without a verdict")
    func cancellation() async throws {
        let world = ProberWorld()
        world.runner.hold("c1")
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await world.prober.run() }
            await world.prober.track(.test(liveness: nil, readiness: Probe(failureThreshold: 1)))
            await world.runner.waitForRuns(1)
            group.cancelAll()
            await group.waitForAll()
        }
        #expect(await world.prober.verdicts(podUID: "pod").ready == ["c1": false])
        #expect(world.events == [])
    }

    @Test("thousands of instances coming and going all get their probes")
    func churn() async throws {
        try await ProberWorld.with { world in
            for number in 0..<2000 {
                await world.prober.track(.test("c\(number)", liveness: Probe(periodSeconds: .max)))
                if number % 100 != 0 { await world.prober.forget(containerID: "c\(number)") }
            }
            await world.sleepThrough(.seconds(Int32.max))
            await world.runner.waitForRuns(20)
            #expect(Set(world.runner.log.map { $0.split(separator: " ")[1] }).count == 20)
        }
    }
}

/// A prober on a clock that stands still, whose probes answer as scripted.
private struct ProberWorld: Sendable {
    let clock = ManualClock()
    let runner: ScriptedRunner
    let prober: Prober
    private let changes: AsyncStream<String>
    private let eventLog: EventLog

    final class EventLog: Sendable {
        let events = Mutex<[String]>([])
    }

    init(maximumConcurrentRuns: Int = 64, random: Double = 0) {
        let (changes, change) = AsyncStream.makeStream(of: String.self)
        let eventLog = EventLog()
        runner = ScriptedRunner(clock)
        self.changes = changes
        self.eventLog = eventLog
        prober = Prober(
            runner: runner, clock: clock, maximumConcurrentRuns: maximumConcurrentRuns, random: { random },
            onChange: { change.yield($0) },
            onEvent: { event in
                eventLog.events.withLock { $0.append("\(event.reason.rawValue): \(event.message)") }
            })
    }

    var events: [String] { eventLog.events.withLock { $0 } }

    static func with(
        maximumConcurrentRuns: Int = 64, random: Double = 0, _ body: (ProberWorld) async throws -> Void
    ) async throws {
        let world = ProberWorld(maximumConcurrentRuns: maximumConcurrentRuns, random: random)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await world.prober.run() }
            try await body(world)
            group.cancelAll()
        }
    }

    func nextChange() async -> String? {
        for await change in changes { return change }
        return nil
    }

    /// Once the prober sleeps for exactly this long, that time passes.
    func sleepThrough(_ duration: Duration) async {
        await clock.waitForSleeper { $0 == duration }
        clock.advance(by: duration)
    }
}

/// Answers probes of each kind from a list, and with success when that is used up.
private final class ScriptedRunner: ProbeRunning {
    private struct State {
        var script: [ProbeKind: [ProbeOutcome]] = [:]
        var log: [String] = []
        var addresses: [String?] = []
        var held: [String: [CheckedContinuation<Void, Never>]] = [:]
        var isCancelled = false
        var current = 0
        var mostAtOnce = 0
        var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())
    private let uptime: @Sendable () -> Duration

    init(_ clock: ManualClock) { uptime = { clock.now.offset } }

    var log: [String] { state.withLock { $0.log } }
    var addresses: [String?] { state.withLock { $0.addresses } }
    var mostAtOnce: Int { state.withLock { $0.mostAtOnce } }

    func script(_ kind: ProbeKind, _ outcomes: [ProbeOutcome]) { state.withLock { $0.script[kind] = outcomes } }

    /// The container's runs end only when it is released or they are cancelled.
    func hold(_ containerID: String) { state.withLock { $0.held[containerID] = [] } }

    func release(_ containerID: String) {
        let waiting = state.withLock { $0.held.removeValue(forKey: containerID) }
        for continuation in waiting ?? [] { continuation.resume() }
    }

    /// Returns once this many runs have begun.
    func waitForRuns(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.log.count < count { state.watchers.append((count, continuation)) }
                return state.log.count >= count
            }
            if isThere { continuation.resume() }
        }
    }

    func run(_ kind: ProbeKind, of target: ProbeTarget, timeout: Duration) async -> ProbeOutcome {
        let seconds = uptime().components.seconds
        let (outcome, ready) = state.withLock { state in
            state.log.append("\(kind) \(target.containerID) at \(seconds)")
            state.addresses.append(target.podIP)
            state.current += 1
            state.mostAtOnce = max(state.mostAtOnce, state.current)
            let count = state.log.count
            let ready = state.watchers.filter { $0.count <= count }
            state.watchers.removeAll { $0.count <= count }
            let hasScript = state.script[kind]?.isEmpty == false
            return (hasScript ? state.script[kind]?.removeFirst() : nil, ready)
        }
        for watcher in ready { watcher.continuation.resume() }
        await waitForRelease(of: target.containerID)
        state.withLock { $0.current -= 1 }
        return outcome ?? .ok
    }

    private func waitForRelease(of containerID: String) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isHeld = state.withLock { state in
                    guard state.held[containerID] != nil, !state.isCancelled else { return false }
                    state.held[containerID]?.append(continuation)
                    return true
                }
                if !isHeld { continuation.resume() }
            }
        } onCancel: {
            let all = state.withLock { state in
                state.isCancelled = true
                let all = state.held.values.flatMap(\.self)
                state.held = [:]
                return all
            }
            for continuation in all { continuation.resume() }
        }
    }
}
