/// What a monitor decides: from what it sees of init and hears from the agent to what it does, and at last the exit record.
///
///     launching ──created──▶ created ──release──▶ released ──exec proof──▶ running ──▶ exited
///         └──────────────────── launch failure, death, agent gone ──────────────────────▶ exited
public struct MonitorStateMachine: Sendable {
    public enum Action: Hashable, Sendable {
        case none
        /// Unblocks init, which waits in ``LaunchStep/awaitRelease``.
        case unblockInit
        case killInit
        /// Tells every connection.
        case announce(MonitorEvent)
        /// Writes the record durably, tells every connection, and ends.
        case finish(ExitRecord)
    }

    private enum State: Hashable {
        case launching(releaseWanted: Bool)
        case created
        case released
        case running(startedAt: Int64)
        case exited(ExitRecord)
    }

    private var state = State.launching(releaseWanted: false)
    private var pid: Int32 = 0
    private var startTime: UInt64 = 0
    private var failure: LaunchFailure?
    private var outOfMemory = false

    public init() {}

    /// What a new connection is told first.
    public var currentEvent: MonitorEvent {
        switch state {
        case .launching, .released: .launching
        case .created: .created(pid: pid, startTime: startTime)
        case .running(let startedAt): .running(pid: pid, startTime: startTime, startedAt: startedAt)
        case .exited(let record): .exited(record)
        }
    }

    /// Init has been cloned.
    public mutating func cloned(pid: Int32, startTime: UInt64) {
        self.pid = pid
        self.startTime = startTime
    }

    /// Init reports that it is set up.
    public mutating func initIsReady() -> [Action] {
        guard case .launching(let releaseWanted) = state else { return [] }
        if releaseWanted {
            state = .released
            return [.announce(.created(pid: pid, startTime: startTime)), .unblockInit]
        }
        state = .created
        return [.announce(.created(pid: pid, startTime: startTime))]
    }

    /// The agent lets the container run. A second release is nothing new.
    public mutating func release() -> [Action] {
        switch state {
        case .launching:
            state = .launching(releaseWanted: true)
            return []
        case .created:
            state = .released
            return [.unblockInit]
        case .released, .running, .exited: return []
        }
    }

    /// The report socket closed: on execve, as it is close-on-exec, or because init died (its exit follows).
    public mutating func reportSocketClosed(now: Int64) -> [Action] {
        guard case .released = state, failure == nil else { return [] }
        state = .running(startedAt: now)
        return [.announce(.running(pid: pid, startTime: startTime, startedAt: now))]
    }

    /// Init could not carry out a step; it exits next.
    public mutating func launchFailed(_ failure: LaunchFailure) {
        if self.failure == nil { self.failure = failure }
    }

    /// The connection that created this container closed. Before the release nobody else knows of it: it must not live on.
    public mutating func creatorIsGone() -> [Action] {
        switch state {
        case .launching(releaseWanted: false), .created: [.killInit]
        case .launching, .released, .running, .exited: []
        }
    }

    /// The kernel killed a process of the container for lack of memory (v1: only one; the rest follows, as on v2).
    public mutating func memoryExhausted() -> [Action] {
        guard !outOfMemory else { return [] }
        outOfMemory = true
        if case .exited = state { return [] }
        return [.killInit]
    }

    /// Init is dead and its output is drained.
    public mutating func initExited(exitCode: Int32, signal: Int32, outOfMemory: Bool, now: Int64) -> [Action] {
        if case .exited = state { return [] }
        var record = ExitRecord(
            released: false, failure: failure, exitCode: exitCode, signal: signal,
            outOfMemory: self.outOfMemory || outOfMemory, finishedAt: now)
        switch state {
        case .released:
            // Dead between release and exec proof: with a failure it never ran; without one execve closed the socket and the
            // death was seen first.
            record.released = true
            record.startedAt = failure == nil ? now : 0
        case .running(let startedAt):
            record.released = true
            record.startedAt = startedAt
        case .launching, .created, .exited: break
        }
        state = .exited(record)
        return [.finish(record)]
    }
}
