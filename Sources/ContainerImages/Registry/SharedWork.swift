import Synchronization

/// Work that several wait for and that is done once: it begins with the first who asks and is cancelled with the last who
/// goes. ``run()`` carries it out.
final class SharedWork<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    typealias Body = @Sendable () async throws(ImageError) -> Value
    private typealias Waiter = CheckedContinuation<Result<Value, ImageError>, Never>

    private struct Job {
        let key: Key
        let number: UInt64
        let body: Body
        /// Ends when nobody waits any more.
        let wanted: AsyncStream<Never>
    }

    private struct Entry {
        let number: UInt64
        let wanted: AsyncStream<Never>.Continuation
        var waiters: [UInt64: Waiter] = [:]
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var lastNumber: UInt64 = 0
        var isClosed = false

        mutating func number() -> UInt64 {
            lastNumber += 1
            return lastNumber
        }
    }

    private let state = Mutex(State())
    private let jobs: AsyncStream<Job>
    private let job: AsyncStream<Job>.Continuation
    private static var cancelled: ImageError { ImageError(.cancelled, "the pull was cancelled") }

    init() {
        (jobs, job) = AsyncStream.makeStream()
    }

    /// The result of the work under `key`: of the work under way, or of `body` when there is none.
    func value(for key: Key, _ body: @escaping Body) async throws(ImageError) -> Value {
        let id = state.withLock { $0.number() }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { join(key, id, $0, body) }
        } onCancel: {
            leave(key, id)
        }
        return try result.get()
    }

    private func join(_ key: Key, _ id: UInt64, _ waiter: Waiter, _ body: @escaping Body) {
        let (isRefused, started) = state.withLock { state -> (Bool, Job?) in
            // Cancelled before it waits: nobody would take it out again.
            guard !state.isClosed, !Task.isCancelled else { return (true, nil) }
            if state.entries[key] != nil {
                state.entries[key]?.waiters[id] = waiter
                return (false, nil)
            }
            let (wanted, end) = AsyncStream<Never>.makeStream()
            let number = state.number()
            state.entries[key] = Entry(number: number, wanted: end, waiters: [id: waiter])
            return (false, Job(key: key, number: number, body: body, wanted: wanted))
        }
        if isRefused { waiter.resume(returning: .failure(Self.cancelled)) }
        if let started { job.yield(started) }
    }

    private func leave(_ key: Key, _ id: UInt64) {
        let (waiter, end) = state.withLock { state -> (Waiter?, AsyncStream<Never>.Continuation?) in
            guard let waiter = state.entries[key]?.waiters.removeValue(forKey: id) else { return (nil, nil) }
            guard let entry = state.entries[key], entry.waiters.isEmpty else { return (waiter, nil) }
            // Whoever asks from now on begins anew.
            state.entries[key] = nil
            return (waiter, entry.wanted)
        }
        waiter?.resume(returning: .failure(Self.cancelled))
        end?.finish()
    }

    private func finish(_ key: Key, _ number: UInt64, _ result: Result<Value, ImageError>) {
        let waiters = state.withLock { state -> [Waiter] in
            guard let entry = state.entries[key], entry.number == number else { return [] }
            state.entries[key] = nil
            return Array(entry.waiters.values)
        }
        for waiter in waiters { waiter.resume(returning: result) }
    }

    /// Does the work until cancelled; whoever waits then is told.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await job in jobs { group.addTask { await self.perform(job) } }
        }
        let waiters = state.withLock { state -> [Waiter] in
            state.isClosed = true
            defer { state.entries = [:] }
            return state.entries.values.flatMap { $0.waiters.values }
        }
        for waiter in waiters { waiter.resume(returning: .failure(Self.cancelled)) }
    }

    private func perform(_ job: Job) async {
        let result = await withTaskGroup(of: Result<Value, ImageError>?.self) { group in
            group.addTask {
                do throws(ImageError) { return .success(try await job.body()) } catch { return .failure(error) }
            }
            group.addTask {
                for await _ in job.wanted {}
                return nil
            }
            var result = await group.next() ?? nil
            group.cancelAll()
            // Not wanted any more: what it has begun, it still clears away.
            if result == nil { result = await group.next() ?? nil }
            return result ?? .failure(Self.cancelled)
        }
        finish(job.key, job.number, result)
    }
}
