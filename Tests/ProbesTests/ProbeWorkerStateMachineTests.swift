import KubernetesAPI
import Probes
import Testing

@Suite("ProbeWorkerStateMachine")
struct ProbeWorkerStateMachineTests {
    private typealias Machine = ProbeWorkerStateMachine

    private func machine(
        _ kind: ProbeKind, _ probe: Probe = Probe(), startedAt: Duration = .seconds(100),
        awaitingStartup: Bool? = nil, wasReady: Bool? = nil, now: Duration = .seconds(100), random: Double = 0
    ) -> Machine {
        Machine(
            kind, probe: probe,
            instance: .init(
                startedAt: startedAt, isAwaitingStartup: awaitingStartup ?? (kind == .startup), wasReady: wasReady),
            now: now, random: random)
    }

    @Test(
        "a new instance is unready, alive and of unknown startup",
        arguments: [(ProbeKind.readiness, Machine.Verdict.failure), (.liveness, .success), (.startup, .unknown)])
    func initialVerdicts(kind: ProbeKind, verdict: ProbeWorkerStateMachine.Verdict) {
        #expect(machine(kind).verdict == verdict)
    }

    @Test(
        "the first run waits for the initial delay, and for a period unless it is about readiness",
        arguments: [
            (ProbeKind.readiness, nil, nil, 100), (.readiness, 0, 10, 100), (.readiness, 7, 3, 107),
            (.readiness, -5, 10, 100), (.liveness, nil, nil, 110), (.liveness, 5, 3, 105), (.liveness, 1, 3, 103),
            (.startup, nil, 0, 110), (.startup, nil, -1, 110), (.startup, 60, 1, 160),
            (.startup, Int32.max, Int32.max, 100 + Int(Int32.max)),
        ])
    func firstRun(kind: ProbeKind, delay: Int32?, period: Int32?, expected: Int) {
        let machine = machine(kind, Probe(initialDelaySeconds: delay, periodSeconds: period))
        #expect(machine.nextRun == .seconds(expected))
    }

    @Test("the initial delay counts from the instance's start, not from when it is handed over")
    func delayFromStart() {
        let probe = Probe(initialDelaySeconds: 30)
        #expect(machine(.readiness, probe, startedAt: .seconds(80)).nextRun == .seconds(110))
        #expect(machine(.readiness, probe, startedAt: .seconds(10)).nextRun == .seconds(100))
    }

    @Test(
        "verdicts change when enough equal results come in a row",
        arguments: [
            // kind, success threshold, failure threshold, results, verdict after each
            (ProbeKind.readiness, 1, 3, "sffsfff", "+++++" + "+-"), (.readiness, 3, 1, "sssfsfsss", "--+-----+"),
            (.readiness, 1, 1, "sfsf", "+-+-"), (.liveness, 1, 3, "ffsffsfff", "++++++++-"),
            (.liveness, nil, nil, "sfff", "+++-"), (.startup, 1, 2, "fs", "?+"), (.startup, 1, 2, "ff", "?-"),
            (.startup, 1, 30, "ffffs", "????+"), (.readiness, 0, -1, "sff" + "f", "+++-"),
            (.readiness, Int32.max, Int32.min, "sssf", "----"),
        ] as [(ProbeKind, Int32?, Int32?, String, String)])
    func thresholds(kind: ProbeKind, successes: Int32?, failures: Int32?, results: String, verdicts: String) {
        var machine = machine(kind, Probe(successThreshold: successes, failureThreshold: failures))
        var seen = ""
        for result in results {
            let before = machine.verdict
            let now = machine.nextRun ?? .zero
            #expect(machine.begin(now: now) == true)
            let action = machine.finish(result == "s" ? .ok : .bad, now: now)
            #expect(action == (machine.verdict == before ? .keepVerdict : machine.verdict.map { .changeVerdict($0) }))
            switch machine.verdict {
            case .success: seen += "+"
            case .failure: seen += "-"
            case .unknown, nil: seen += "?"
            }
        }
        #expect(seen == verdicts)
    }

    @Test("a warning counts as success")
    func warning() {
        var machine = machine(.readiness)
        #expect(machine.begin(now: .seconds(100)) == true)
        #expect(machine.finish(.warning(message: "elsewhere"), now: .seconds(100)) == .changeVerdict(.success))
    }

    @Test("a probe that cannot be run is tried three times at once, then forgotten")
    func errors() {
        var machine = machine(.liveness, Probe(failureThreshold: 2))
        #expect(machine.begin(now: .seconds(110)) == true)
        #expect(machine.finish(.bad, now: .seconds(110)) == .keepVerdict)
        #expect(machine.begin(now: .seconds(120)) == true)
        #expect(machine.finish(.odd, now: .seconds(121)) == .runAgain)
        #expect(machine.nextRun == nil)
        #expect(machine.finish(.odd, now: .seconds(122)) == .runAgain)
        #expect(machine.finish(.odd, now: .seconds(123)) == .discard)
        #expect(machine.verdict == .success)
        #expect(machine.nextRun == .seconds(130))
        // The failure before still counts, as the errors between say nothing.
        #expect(machine.begin(now: .seconds(130)) == true)
        #expect(machine.finish(.odd, now: .seconds(130)) == .runAgain)
        #expect(machine.finish(.bad, now: .seconds(130)) == .changeVerdict(.failure))
    }

    @Test("an errored attempt that then succeeds is a success")
    func errorThenSuccess() {
        var machine = machine(.readiness)
        #expect(machine.begin(now: .seconds(100)) == true)
        #expect(machine.finish(.odd, now: .seconds(100)) == .runAgain)
        #expect(machine.finish(.ok, now: .seconds(100)) == .changeVerdict(.success))
    }

    @Test(
        "after its decision a probe is on hold for this instance",
        arguments: [(ProbeKind.startup, true), (.startup, false), (.liveness, false)])
    func onHold(kind: ProbeKind, success: Bool) {
        var machine = machine(kind, Probe(failureThreshold: 1))
        #expect(machine.begin(now: .seconds(110)) == true)
        let verdict = Machine.Verdict.failure
        #expect(
            machine.finish(success ? .ok : .bad, now: .seconds(110)) == .changeVerdict(success ? .success : verdict))
        #expect(machine.nextRun == nil)
        machine.runSoon(now: .seconds(1000))
        machine.releaseGate(now: .seconds(1000))
        #expect(machine.begin(now: .seconds(1000)) == false)
    }

    @Test("readiness goes on after either verdict, and liveness after success")
    func goesOn() {
        for (kind, outcome) in [(ProbeKind.readiness, ProbeOutcome.bad), (.readiness, .ok), (.liveness, .ok)] {
            var machine = machine(kind, Probe(failureThreshold: 1), startedAt: .seconds(kind == .readiness ? 110 : 100))
            #expect(machine.begin(now: .seconds(110)) == true)
            _ = machine.finish(outcome, now: .seconds(110))
            #expect(machine.nextRun == .seconds(120))
        }
    }

    @Test("the next run is a period after the last one was due, however late it began, or at once if it took longer")
    func cadence() {
        var machine = machine(.readiness, Probe(periodSeconds: 10))
        #expect(machine.begin(now: .milliseconds(100_003)) == true)
        _ = machine.finish(.ok, now: .seconds(104))
        #expect(machine.nextRun == .seconds(110))
        #expect(machine.begin(now: .seconds(110)) == true)
        _ = machine.finish(.ok, now: .seconds(136))
        #expect(machine.nextRun == .seconds(136))
    }

    @Test(
        "runs after the first begin at a multiple of half a second",
        arguments: [
            (100_000, 105_000), (100_001, 105_500), (100_499, 105_500), (100_500, 105_500), (100_501, 106_000),
            (100_999, 106_000),
        ])
    func beat(startedAt: Int, second: Int) {
        var machine = machine(
            .readiness, Probe(periodSeconds: 5), startedAt: .milliseconds(startedAt), now: .milliseconds(startedAt))
        #expect(machine.nextRun == .milliseconds(startedAt))
        #expect(machine.begin(now: .milliseconds(startedAt)) == true)
        _ = machine.finish(.ok, now: .milliseconds(startedAt + 7))
        #expect(machine.nextRun == .milliseconds(second))
        #expect(machine.begin(now: .milliseconds(second + 3)) == true)
        _ = machine.finish(.ok, now: .milliseconds(second + 9))
        #expect(machine.nextRun == .milliseconds(second + 5000))
    }

    @Test("a run begins only when due, and only once")
    func begin() {
        var machine = machine(.readiness, Probe(initialDelaySeconds: 1))
        #expect(machine.begin(now: .milliseconds(100_999)) == false)
        #expect(machine.begin(now: .seconds(101)) == true)
        #expect(machine.begin(now: .seconds(200)) == false)
    }

    @Test("a result nobody waits for changes nothing")
    func strayResult() {
        var machine = machine(.liveness, Probe(failureThreshold: 1))
        #expect(machine.finish(.bad, now: .seconds(500)) == .keepVerdict)
        #expect(machine.verdict == .success)
        #expect(machine.nextRun == .seconds(110))
    }

    @Test(
        "an adopted instance keeps its readiness, a new one has none; of an old one unknown to the status nothing is said",
        arguments: [
            (-11_000, true, Machine.Verdict.success), (-11_000, false, .failure), (-11_000, nil, nil),
            (-10_000, nil, .failure), (-10_001, nil, nil), (-1000, true, .success), (5000, nil, .failure),
        ] as [(Int, Bool?, ProbeWorkerStateMachine.Verdict?)])
    func adoption(startedAtMilliseconds: Int, wasReady: Bool?, verdict: ProbeWorkerStateMachine.Verdict?) {
        let machine = machine(
            .readiness, startedAt: .milliseconds(startedAtMilliseconds), wasReady: wasReady, now: .seconds(6))
        #expect(machine.verdict == verdict)
    }

    @Test("an adopted readiness without a known state gets its verdict at the threshold")
    func adoptedVerdict() {
        var machine = machine(
            .readiness, Probe(failureThreshold: 2), startedAt: .seconds(-60), now: .seconds(20))
        #expect(machine.begin(now: .seconds(20)) == true)
        #expect(machine.finish(.bad, now: .seconds(20)) == .keepVerdict)
        #expect(machine.verdict == nil)
        #expect(machine.begin(now: .seconds(30)) == true)
        #expect(machine.finish(.bad, now: .seconds(30)) == .changeVerdict(.failure))
    }

    @Test(
        "within a period of the agent's start, adopted instances are spread over a period",
        arguments: [
            // started at, now, random, first run
            (-100.0, 1.0, 0.0, 1.0), (-100, 1, 0.5, 6), (-100, 1, 0.999, 10.99), (-100, 9.5, 0.5, 14.5),
            (-100, 10, 0.5, 10), (0.5, 1, 0.5, 1), (-100, 1, .nan, 1), (-100, 1, .infinity, 1), (-100, 1, -3, 1),
            (-100, 1, 7, 11),
        ])
    func jitter(startedAt: Double, now: Double, random: Double, first: Double) throws {
        let machine = machine(.readiness, startedAt: .seconds(startedAt), now: .seconds(now), random: random)
        let difference = try #require(machine.nextRun) - .seconds(first)
        #expect(abs(difference / .seconds(1)) < 0.000_001)
    }

    @Test("liveness and readiness wait for the startup probe; readiness then runs at once")
    func gate() {
        var readiness = machine(.readiness, awaitingStartup: true)
        var liveness = machine(.liveness, awaitingStartup: true)
        #expect(readiness.nextRun == nil)
        #expect(liveness.nextRun == nil)
        readiness.runSoon(now: .seconds(150))
        #expect(readiness.begin(now: .seconds(150)) == false)
        readiness.releaseGate(now: .seconds(150))
        liveness.releaseGate(now: .seconds(150))
        #expect(readiness.nextRun == .seconds(150))
        #expect(liveness.nextRun == .seconds(160))
    }

    @Test("the gate opens no earlier than the initial delay")
    func gateAndDelay() {
        for kind in [ProbeKind.readiness, .liveness] {
            var machine = machine(kind, Probe(initialDelaySeconds: 200), awaitingStartup: true)
            machine.releaseGate(now: .seconds(150))
            #expect(machine.nextRun == .seconds(300))
            // A second time it does nothing.
            machine.releaseGate(now: .seconds(290))
            #expect(machine.nextRun == .seconds(300))
        }
    }

    @Test("an instance whose startup is known to be over is not asked again")
    func startedBefore() {
        let machine = machine(.startup, startedAt: .seconds(-60), awaitingStartup: false, now: .zero)
        #expect(machine.verdict == .success)
        #expect(machine.nextRun == nil)
    }

    @Test("running soon brings the next run forward, but never before the initial delay")
    func runSoon() {
        var machine = machine(.readiness, Probe(initialDelaySeconds: 20, periodSeconds: 60))
        machine.runSoon(now: .seconds(105))
        #expect(machine.nextRun == .seconds(120))
        #expect(machine.begin(now: .seconds(120)) == true)
        machine.runSoon(now: .seconds(120))
        #expect(machine.nextRun == nil)
        _ = machine.finish(.bad, now: .seconds(121))
        #expect(machine.nextRun == .seconds(180))
        machine.runSoon(now: .seconds(130))
        #expect(machine.nextRun == .seconds(130))
        machine.runSoon(now: .seconds(140))
        #expect(machine.nextRun == .seconds(130))
    }

    @Test("a stopped probe drops its failure and ignores the run under way")
    func stop() {
        var running = machine(.liveness, Probe(failureThreshold: 1))
        #expect(running.begin(now: .seconds(110)) == true)
        running.stop()
        #expect(!running.isRunning)
        #expect(running.finish(.bad, now: .seconds(111)) == .keepVerdict)
        #expect(running.verdict == .success)
        for (kind, verdict) in [(ProbeKind.liveness, Machine.Verdict.success), (.startup, .unknown)] {
            var failed = machine(kind, Probe(failureThreshold: 1))
            #expect(failed.begin(now: .seconds(110)) == true)
            #expect(failed.finish(.bad, now: .seconds(110)) == .changeVerdict(.failure))
            failed.stop()
            #expect(failed.verdict == verdict)
            #expect(failed.nextRun == nil)
        }
    }

    @Test(
        "any numbers give a probe that runs, in time and without end",
        arguments: [Int32.min, -1, 0, 1, 2, Int32.max - 1, Int32.max])
    func extremes(value: Int32) throws {
        let probe = Probe(
            initialDelaySeconds: value, timeoutSeconds: value, periodSeconds: value, successThreshold: value,
            failureThreshold: value, terminationGracePeriodSeconds: .max)
        for kind in ProbeKind.allCases {
            for startedAt in [Duration.seconds(-1_000_000_000_000), .zero, .seconds(1_000_000_000_000)] {
                var machine = machine(
                    kind, probe, startedAt: startedAt, now: .seconds(3), random: 0.999)
                #expect(machine.timeout >= .seconds(1))
                for outcome in [ProbeOutcome.bad, .ok, .ok, .odd, .odd, .odd, .bad, .bad] {
                    guard let next = machine.nextRun ?? (machine.isRunning ? .zero : nil) else { break }
                    if !machine.isRunning { #expect(machine.begin(now: next) == true) }
                    let end = next + machine.timeout
                    _ = machine.finish(outcome, now: end)
                    if let following = machine.nextRun { #expect(following >= end) }
                }
            }
        }
    }

    @Test("no order of calls makes a probe run twice at once or forget its instance's fate")
    func anyOrder() {
        var generator = SplitMix64(state: 2026)
        for _ in 0..<3000 {
            let kind = ProbeKind.allCases[generator.next(below: 3)]
            var machine = machine(
                kind, Probe(periodSeconds: 5, successThreshold: 2, failureThreshold: 2),
                awaitingStartup: generator.next(below: 2) == 0 || kind == .startup)
            var now = Duration.seconds(100)
            var isStopped = false
            for _ in 0..<30 {
                now += .seconds(generator.next(below: 4))
                let wasRunning = machine.isRunning
                let wasFinal = kind != .readiness && machine.verdict == .failure && !isStopped
                switch generator.next(below: 12) {
                case 0: machine.releaseGate(now: now)
                case 1: machine.runSoon(now: now)
                case 2:
                    machine.stop()
                    isStopped = true
                case 3...5:
                    let due = machine.nextRun.map { $0 <= now } ?? false
                    #expect(machine.begin(now: now) == due)
                default:
                    let outcomes: [ProbeOutcome] = [.ok, .bad, .odd]
                    let action = machine.finish(outcomes[generator.next(below: 3)], now: now)
                    if !wasRunning { #expect(action == .keepVerdict) }
                }
                #expect(!(machine.isRunning && machine.nextRun != nil))
                if isStopped { #expect(machine.nextRun == nil && !machine.isRunning) }
                if wasFinal && !isStopped { #expect(machine.verdict == .failure && machine.nextRun == nil) }
            }
        }
    }
}

/// A small generator with a seed, so that a failure can be repeated.
private struct SplitMix64 {
    var state: UInt64

    mutating func next(below bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((value ^ (value >> 31)) % UInt64(bound))
    }
}
