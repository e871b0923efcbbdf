public import KubernetesAPI

/// Decides when one probe of one container instance runs and what its results mean. No I/O.
///
/// Times are durations on the owner's clock, zero being the moment the agent began; an instance that ran before has
/// a negative start.
public struct ProbeWorkerStateMachine: Sendable {
    public enum Verdict: Hashable, Sendable {
        case success, failure, unknown
    }

    /// The instance when it is handed over.
    public struct Instance: Hashable, Sendable {
        public var startedAt: Duration
        /// Its startup probe has yet to succeed.
        public var isAwaitingStartup: Bool
        /// What the pod's status said before the agent began.
        public var wasReady: Bool?

        public init(startedAt: Duration, isAwaitingStartup: Bool = false, wasReady: Bool? = nil) {
            self.startedAt = startedAt
            self.isAwaitingStartup = isAwaitingStartup
            self.wasReady = wasReady
        }
    }

    public enum FinishAction: Hashable, Sendable {
        /// The probe could not be run: run it again at once.
        case runAgain
        /// The probe could not be run repeatedly: nothing is learnt.
        case discard
        /// Nothing new, or not yet often enough in a row.
        case keepVerdict
        case changeVerdict(Verdict)
    }

    private enum State: Hashable {
        /// Held back until the startup probe has succeeded.
        case gated
        case waiting(until: Duration)
        case running(since: Duration, attempt: Int)
        /// Has decided about this instance for good.
        case onHold
        case stopped
    }

    /// Attempts of one run whose probe cannot be run at all.
    static let maximumAttempts = 3
    /// An instance this much older than the agent keeps its readiness over an agent's restart.
    static let restartGracePeriod = Duration.seconds(10)
    /// Runs after the first begin at a multiple of this: what the probes of many pods need is in the processor's caches then, and one
    /// waking of the agent serves them all. No run waits longer for others than this, and it divides every period.
    static let beat = Duration.milliseconds(500)

    public let kind: ProbeKind
    /// Nil until there is anything to go by, which happens only to instances older than the agent.
    public private(set) var verdict: Verdict?
    private let timing: ProbeTiming
    private let startedAt: Duration
    private var state: State
    private var lastResult: Verdict?
    private var resultsInARow = 0

    /// - Parameter random: in 0..<1; spreads the first runs of a restarted agent over the period.
    public init(_ kind: ProbeKind, probe: Probe, instance: Instance, now: Duration, random: Double) {
        self.kind = kind
        timing = ProbeTiming(probe)
        startedAt = instance.startedAt
        let keepsReadiness = instance.wasReady != nil || startedAt < .zero - Self.restartGracePeriod
        switch kind {
        case .startup: verdict = instance.isAwaitingStartup ? .unknown : .success
        case .liveness: verdict = .success
        case .readiness:
            verdict = keepsReadiness ? instance.wasReady.map { $0 ? .success : .failure } : .failure
        }
        var first = max(now, startedAt + timing.initialDelay)
        // A run right at the start would take one period off the time a program has to come up, which is
        // failureThreshold × period. Readiness has no such limit, and the earlier it is known the better.
        if kind != .readiness { first = max(first, startedAt + timing.period) }
        // Only instances found at the start come all at once.
        if startedAt < .zero && now < timing.period {
            let fraction = random.isFinite ? min(max(random, 0), 1) : 0
            first = max(first, now + timing.period * fraction)
        }
        switch (kind, instance.isAwaitingStartup) {
        case (.startup, false): state = .onHold
        case (.startup, true), (.liveness, false), (.readiness, false): state = .waiting(until: first)
        case (.liveness, true), (.readiness, true): state = .gated
        }
    }

    /// The longest one attempt may take.
    public var timeout: Duration { timing.timeout }

    /// Between `begin` and the end of its last attempt.
    public var isRunning: Bool {
        if case .running = state { true } else { false }
    }

    /// When to run next; nil while running, held back or finished.
    public var nextRun: Duration? {
        if case .waiting(let until) = state { until } else { nil }
    }

    /// Starts a run if one is due.
    public mutating func begin(now: Duration) -> Bool {
        guard case .waiting(let until) = state, until <= now else { return false }
        // Counted from when it was due: lateness does not add up.
        state = .running(since: until, attempt: 1)
        return true
    }

    /// The attempt begun has ended.
    public mutating func finish(_ outcome: ProbeOutcome, now: Duration) -> FinishAction {
        guard case .running(let since, let attempt) = state else { return .keepVerdict }
        let result: Verdict
        switch outcome {
        case .success, .warning: result = .success
        case .failure: result = .failure
        case .error:
            guard attempt >= Self.maximumAttempts else {
                state = .running(since: since, attempt: attempt + 1)
                return .runAgain
            }
            state = .waiting(until: Self.onBeat(max(now, since + timing.period)))
            return .discard
        }
        state = .waiting(until: Self.onBeat(max(now, since + timing.period)))
        return count(result)
    }

    /// That moment, or the first multiple of ``beat`` after it.
    private static func onBeat(_ moment: Duration) -> Duration {
        let rest = moment.components.attoseconds % beat.components.attoseconds
        return rest > 0 ? moment + beat - Duration(secondsComponent: 0, attosecondsComponent: rest) : moment
    }

    private mutating func count(_ result: Verdict) -> FinishAction {
        let threshold = result == .success ? timing.successThreshold : timing.failureThreshold
        // Counting on would only matter for its overflow.
        resultsInARow = lastResult == result ? min(resultsInARow + 1, threshold) : 1
        lastResult = result
        guard resultsInARow >= threshold else { return .keepVerdict }
        switch (kind, result) {
        // The instance is up for good, or on its way out: running commands in it now helps nobody.
        case (.startup, _), (.liveness, .failure): state = .onHold
        case (.liveness, _), (.readiness, _): break
        }
        guard verdict != result else { return .keepVerdict }
        verdict = result
        return .changeVerdict(result)
    }

    /// The startup probe has succeeded: the others may run.
    public mutating func releaseGate(now: Duration) {
        guard case .gated = state else { return }
        let first = kind == .readiness ? now : now + timing.period
        state = .waiting(until: max(first, startedAt + timing.initialDelay))
    }

    /// Runs as soon as the initial delay allows, and a period after that again.
    public mutating func runSoon(now: Duration) {
        guard case .waiting(let until) = state else { return }
        state = .waiting(until: min(until, max(now, startedAt + timing.initialDelay)))
    }

    /// Ends the probe. A failure it had found no longer counts.
    public mutating func stop() {
        state = .stopped
        if verdict == .failure && kind != .readiness { verdict = kind == .liveness ? .success : .unknown }
    }
}
