import CLinux
import Glibc
import Synchronization
import SystemPackage

/// Event bits of epoll(7).
public enum EpollEvents {
    public static let readable: UInt32 = 0x001
    /// Out-of-band: how `cgroup.events`, `memory.events` and PSI triggers announce a change.
    public static let priority: UInt32 = 0x002
    public static let writable: UInt32 = 0x004
    /// Always reported, asked for or not.
    public static let error: UInt32 = 0x008
    /// Always reported, asked for or not.
    public static let hangUp: UInt32 = 0x010
    public static let readHangUp: UInt32 = 0x2000
    public static let oneShot: UInt32 = 1 << 30
    public static let edgeTriggered: UInt32 = 1 << 31
}

/// A registration with an ``EpollLoop``. Never reused within its loop.
public struct EpollToken: Hashable, Sendable {
    let value: UInt64
}

/// A thread that waits for descriptors and calls their handlers.
///
/// Handlers run one at a time on the loop's thread and must not block: they hand over and return. All methods may be
/// called from any thread and from handlers.
public final class EpollLoop: Sendable {
    private let core: EpollLoopCore

    /// - Parameter name: of the thread, as shown by `ps -L`; the kernel keeps 15 bytes.
    public init(name: String = "epoll") throws(KernelError) {
        core = try EpollLoopCore()
        try core.start(name: name)
    }

    deinit { core.stop() }

    /// Calls `handler` with the event bits whenever the descriptor has one of `events` (level-triggered unless
    /// ``EpollEvents/edgeTriggered``). The descriptor is lent: ``remove(_:completion:)`` comes before its close.
    public func add(
        descriptor: Int32, events: UInt32, handler: @escaping @Sendable (UInt32) -> Void
    ) throws(KernelError) -> EpollToken {
        try core.add(descriptor: descriptor, events: events, handler: handler)
    }

    /// No call of the handler begins after this returns. One may still be running on the loop's thread: what it uses is
    /// released in `completion`, which runs on that thread after it (at once when the loop has stopped).
    public func remove(_ token: EpollToken, completion: (@Sendable () -> Void)? = nil) {
        core.remove(token, completion: completion)
    }

    /// Calls `handler` once, that much later or soon after, unless the token is removed before.
    public func schedule(after duration: Duration, handler: @escaping @Sendable () -> Void) -> EpollToken {
        core.schedule(after: duration, handler: handler)
    }

    /// Runs tasks on the loop's thread, between handlers: what such a task waits for from a handler reaches it without a change of
    /// threads. Tasks must not block either. Those of a loop that has ended go on where tasks usually run.
    public var executor: any TaskExecutor { core }

    /// Ends the loop and waits for its thread, unless it is called on that thread. No handler runs afterwards.
    public func stop() { core.stop() }
}

/// The part the thread holds on to, so that the loop itself can go away and stop it.
private final class EpollLoopCore: Sendable {
    private struct Registration {
        let descriptor: Int32
        let handler: @Sendable (UInt32) -> Void
    }

    private struct Deadline {
        let time: ContinuousClock.Instant
        let handler: @Sendable () -> Void
    }

    private struct State {
        var jobs: [UnownedJob] = []
        var registrations: [UInt64: Registration] = [:]
        var deadlines: [UInt64: Deadline] = [:]
        /// When the loop looks at the deadlines next; none of them is earlier. A removed one leaves it as it was: the loop then wakes
        /// once for nothing, which costs less than a system call for each deadline that is met.
        var nextLook: ContinuousClock.Instant?
        var completions: [@Sendable () -> Void] = []
        /// 0 is the wake-up descriptor.
        var nextToken: UInt64 = 1
        var isStopping = false
        var hasEnded = false
        /// Nil once somebody has been told to wait for its end.
        var thread: pthread_t?
        var loopThread: pthread_t?
    }

    private let epoll: OwnedDescriptor
    private let wakeUp: OwnedDescriptor
    private let state = Mutex(State())

    init() throws(KernelError) {
        epoll = OwnedDescriptor(owning: try kernelCall("epoll_create1") { epoll_create1(Int32(O_CLOEXEC)) })
        wakeUp = OwnedDescriptor(owning: try kernelCall("eventfd") { eventfd(0, Int32(O_CLOEXEC | O_NONBLOCK)) })
        var event = epoll_event()
        event.events = EpollEvents.readable
        event.data.u64 = 0
        try kernelCall("epoll_ctl", "eventfd") { epoll_ctl(epoll.raw, EPOLL_CTL_ADD, wakeUp.raw, &event) }
    }

    func start(name: String) throws(KernelError) {
        final class Start {
            let core: EpollLoopCore
            let name: String
            init(core: EpollLoopCore, name: String) { (self.core, self.name) = (core, name) }
        }
        let argument = Unmanaged.passRetained(Start(core: self, name: name))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { raw in
                guard let raw else { return nil }
                let start = Unmanaged<Start>.fromOpaque(raw).takeRetainedValue()
                var signals = sigset_t()
                sigfillset(&signals)
                // Signals of the process are for the thread that handles them.
                pthread_sigmask(SIG_BLOCK, &signals, nil)
                _ = start.name.withCString { CLinux_prctl(PR_SET_NAME, UInt(bitPattern: $0), 0, 0, 0) }
                start.core.run()
                return nil
            }, argument.toOpaque())
        guard code == 0 else {
            argument.release()
            throw KernelError("pthread_create", name, errno: Errno(rawValue: code))
        }
        let created = thread
        state.withLock { $0.thread = created }
    }

    func add(
        descriptor: Int32, events: UInt32, handler: @escaping @Sendable (UInt32) -> Void
    ) throws(KernelError) -> EpollToken {
        let token: UInt64? = state.withLock { state in
            if state.isStopping { return nil }
            let token = state.nextToken
            state.nextToken += 1
            state.registrations[token] = Registration(descriptor: descriptor, handler: handler)
            return token
        }
        guard let token else { throw KernelError("epoll_ctl", "descriptor \(descriptor)", errno: .canceled) }
        var event = epoll_event()
        event.events = events
        event.data.u64 = token
        do {
            try kernelCall("epoll_ctl", "descriptor \(descriptor)") {
                epoll_ctl(epoll.raw, EPOLL_CTL_ADD, descriptor, &event)
            }
        } catch {
            state.withLock { _ = $0.registrations.removeValue(forKey: token) }
            throw error
        }
        return EpollToken(value: token)
    }

    func schedule(after duration: Duration, handler: @escaping @Sendable () -> Void) -> EpollToken {
        let time = ContinuousClock.now.advanced(by: duration)
        let (token, isEarliest) = state.withLock { state -> (UInt64, Bool) in
            let token = state.nextToken
            state.nextToken += 1
            state.deadlines[token] = Deadline(time: time, handler: handler)
            if let next = state.nextLook, next <= time { return (token, false) }
            state.nextLook = time
            return (token, true)
        }
        if isEarliest { wake() }
        return EpollToken(value: token)
    }

    func remove(_ token: EpollToken, completion: (@Sendable () -> Void)?) {
        let (registration, runNow) = state.withLock { state -> (Registration?, Bool) in
            state.deadlines[token.value] = nil
            let registration = state.registrations.removeValue(forKey: token.value)
            if state.hasEnded { return (registration, true) }
            if let completion { state.completions.append(completion) }
            return (registration, false)
        }
        if let registration {
            // A failure means that the descriptor was closed already, which removed it.
            var event = epoll_event()
            _ = epoll_ctl(epoll.raw, EPOLL_CTL_DEL, registration.descriptor, &event)
        }
        guard let completion else { return }
        if runNow { completion() } else { wake() }
    }

    func stop() {
        let thread = state.withLock { state -> pthread_t? in
            state.isStopping = true
            defer { state.thread = nil }
            return state.thread
        }
        guard let thread else { return }
        wake()
        if pthread_equal(thread, pthread_self()) != 0 {
            pthread_detach(thread)
        } else {
            pthread_join(thread, nil)
        }
    }

    fileprivate func run(_ job: UnownedJob) {
        // With others waiting the loop is awake, or about to be.
        let (hasEnded, isFirst) = state.withLock { state in
            if state.hasEnded { return (true, false) }
            state.jobs.append(job)
            return (false, state.jobs.count == 1 && state.loopThread.map { pthread_equal($0, pthread_self()) } != 1)
        }
        if hasEnded { globalConcurrentExecutor.enqueue(ExecutorJob(job)) } else if isFirst { wake() }
    }

    private func wake() {
        var one: UInt64 = 1
        // It fails only when the counter is full, and then the loop is awake.
        _ = write(wakeUp.raw, &one, 8)
    }

    /// How often those that tasks begin meanwhile run before descriptors and deadlines have their turn again.
    private static let turnsPerRound = 32

    /// - Returns: whether there were any.
    private func runJobs() -> Bool {
        let jobs = takeJobs()
        for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
        return !jobs.isEmpty
    }

    private func takeJobs() -> [UnownedJob] {
        state.withLock { state in
            defer { state.jobs = [] }
            return state.jobs
        }
    }

    private func run() {
        state.withLock { $0.loopThread = pthread_self() }
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        while true {
            let count = epoll_wait(epoll.raw, &events, Int32(events.count), millisecondsToNextLook())
            // Only EINTR is possible: the descriptor is ours and open.
            for event in events.prefix(max(0, Int(count))) { dispatch(event) }
            for deadline in takeDue() { deadline.handler() }
            var turns = 0
            while turns < Self.turnsPerRound, runJobs() { turns += 1 }
            if !finishRound() { return }
        }
    }

    /// As epoll_wait(2) takes it, rounded up: -1 is for ever.
    private func millisecondsToNextLook() -> Int32 {
        let (next, hasJobs) = state.withLock { ($0.nextLook, !$0.jobs.isEmpty) }
        if hasJobs { return 0 }
        guard let next else { return -1 }
        let rest = ContinuousClock.now.duration(to: next)
        guard rest > .zero else { return 0 }
        // An early look finds nothing due and waits again.
        return Int32(clamping: Int64(min(rest, .seconds(86_400)) / .milliseconds(1)) + 1)
    }

    private func takeDue() -> [Deadline] {
        state.withLock { state in
            guard let next = state.nextLook else { return [] }
            let now = ContinuousClock.now
            guard next <= now else { return [] }
            let due = state.deadlines.filter { $0.value.time <= now }
            for token in due.keys { state.deadlines[token] = nil }
            state.nextLook = state.deadlines.values.map(\.time).min()
            return state.isStopping ? [] : due.values.sorted { $0.time < $1.time }
        }
    }

    private func dispatch(_ event: epoll_event) {
        let token = event.data.u64
        if token == 0 {
            var counter: UInt64 = 0
            _ = read(wakeUp.raw, &counter, 8)
            return
        }
        let handler = state.withLock { $0.isStopping ? nil : $0.registrations[token]?.handler }
        handler?(event.events)
    }

    /// Runs what waited for the end of the handlers; `false` when the loop is to end.
    private func finishRound() -> Bool {
        let (completions, ended) = state.withLock { state -> ([@Sendable () -> Void], Bool) in
            defer { state.completions = [] }
            if state.isStopping {
                state.hasEnded = true
                state.registrations = [:]
                state.deadlines = [:]
            }
            return (state.completions, state.isStopping)
        }
        for completion in completions { completion() }
        if ended { for job in takeJobs() { globalConcurrentExecutor.enqueue(ExecutorJob(job)) } }
        return !ended
    }
}

extension EpollLoopCore: TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) { run(UnownedJob(job)) }
}
