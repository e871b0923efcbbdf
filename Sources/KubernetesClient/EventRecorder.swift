public import KubernetesAPI
public import Logging
import Synchronization

/// Writes `core/v1` events for one component. Recording never waits; `run()` does the writing.
///
/// Events are a courtesy: when the endpoint is away longer than the queue lasts, the oldest are dropped.
public final class EventRecorder: Sendable {
    private struct State {
        var correlator: EventCorrelator
        var queue: [EventWrite] = []
        var dropped = 0
        var finishing = false
    }

    /// Events waiting to be written.
    public static let queueLimit = 1_000
    /// Tries per event before it is given up.
    static let attemptLimit = 12

    private let sink: any EventSink
    private let clock: any Clock<Duration>
    private let uptime: Stopwatch
    private let wallClock: @Sendable () -> Timestamp
    private let random: @Sendable () -> Double
    private let flushTimeout: Duration
    private let logger: Logger
    private let observer: @Sendable (ObjectReference, EventType, _ reason: String, _ message: String) -> Void
    private let state: Mutex<State>
    private let wake = WakeSignal()

    /// - Parameters:
    ///   - component: who tells, e.g. `kubelet` or `default-scheduler`.
    ///   - host: the node it runs on; may be empty.
    ///   - flushTimeout: how long `run()` goes on after `finish()`.
    ///   - observer: hears of everything that is recorded, also of what is not written to the API.
    public init(
        component: String, host: String = "", sink: any EventSink, flushTimeout: Duration = .seconds(5),
        clock: any Clock<Duration> = ContinuousClock(), wallClock: @escaping @Sendable () -> Timestamp = { .now() },
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) },
        observer: @escaping @Sendable (ObjectReference, EventType, _ reason: String, _ message: String) -> Void = {
            _, _, _, _ in
        }, logger: Logger
    ) {
        self.sink = sink
        self.clock = clock
        self.wallClock = wallClock
        self.random = random
        self.flushTimeout = flushTimeout
        self.observer = observer
        self.logger = logger
        uptime = Stopwatch(clock)
        state = Mutex(State(correlator: EventCorrelator(component: component, host: host)))
    }

    /// Tells something about an object.
    ///
    /// - Parameters:
    ///   - reason: one word in UpperCamelCase, the same for every event of its kind.
    ///   - message: for people; equal messages are counted, so it holds no counters or times.
    ///   - annotations: of the event object, for programs.
    public func record(
        _ object: ObjectReference, type: EventType = .normal, reason: String, message: String,
        annotations: [String: String] = [:]
    ) {
        observer(object, type, reason, message)
        let observation = EventObservation(
            object: object, type: type, reason: reason, message: message, annotations: annotations)
        let (now, wall) = (uptime.elapsed, wallClock())
        let queued = state.withLock { state -> Bool in
            guard let write = state.correlator.observe(observation, now: now, wall: wall) else { return false }
            state.queue.append(write)
            if state.queue.count > Self.queueLimit {
                state.queue.removeFirst()
                state.dropped += 1
            }
            return true
        }
        if queued { wake.signal() }
    }

    /// Events dropped because the queue was full.
    public var droppedCount: Int { state.withLock { $0.dropped } }

    /// No more events will come: `run()` writes what is left, within the flush time, and returns.
    public func finish() {
        state.withLock { $0.finishing = true }
        wake.signal()
    }

    /// Writes events until `finish()` or cancellation.
    public func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.drain() }
            group.addTask {
                await self.untilFinishing()
                try? await self.clock.sleep(for: self.flushTimeout, tolerance: nil)
            }
            await group.next()
            group.cancelAll()
        }
        let left = state.withLock { $0.queue.count }
        if left > 0 { logger.info("events given up at shutdown", metadata: ["count": "\(left)"]) }
    }

    private func untilFinishing() async {
        while !Task.isCancelled {
            let generation = wake.generation
            if state.withLock({ $0.finishing }) { return }
            await wake.wait(after: generation)
        }
    }

    private func drain() async {
        while !Task.isCancelled {
            let generation = wake.generation
            let (write, finishing) = state.withLock { state in
                (state.queue.isEmpty ? nil : state.queue.removeFirst(), state.finishing)
            }
            if let write {
                await deliver(write)
            } else if finishing {
                return
            } else {
                await wake.wait(after: generation)
            }
        }
    }

    private func deliver(_ write: EventWrite) async {
        var backoff = Backoff(policy: .watch)
        while !Task.isCancelled {
            guard let error = await attempt(write) else { return }
            guard error.isRetryable, backoff.attempt + 1 < Self.attemptLimit else {
                // A namespace being deleted refuses events; that and the like is no reason for a warning.
                logger.debug(
                    "event not written",
                    metadata: ["reason": "\(write.event.reason ?? "")", "error": "\(error)"])
                return
            }
            let delay = backoff.failed(retryAfterSeconds: error.retryAfterSeconds, random: random())
            try? await clock.sleep(for: delay, tolerance: nil)
        }
    }

    private func attempt(_ write: EventWrite) async -> APIError? {
        do throws(APIError) {
            switch write {
            case .create(let event): try await create(event)
            case .patch(let event):
                do throws(APIError) {
                    try await sink.patchEvent(event)
                } catch {
                    // Events expire on the server after an hour.
                    guard error.isNotFound else { throw error }
                    try await create(event)
                }
            }
            return nil
        } catch {
            return error
        }
    }

    private func create(_ event: Event) async throws(APIError) {
        do {
            try await sink.createEvent(event)
        } catch {
            // An earlier try arrived though its answer did not.
            guard error.isAlreadyExists else { throw error }
        }
    }
}
