import LinuxKernel
import MonitorCore
import Synchronization

/// A command inside a container, from its start to what became of it.
final class PendingExecution: Sendable {
    enum End: Sendable {
        case failed(LaunchFailure)
        case exited(exitCode: Int32)
        case timedOut
        /// The container ended with the command in it, or nobody waits any more.
        case abandoned
    }

    private enum State {
        case running
        case awaited(CheckedContinuation<End, Never>)
        case ended(End)
    }

    let containerID: String
    private let state = Mutex(State.running)

    init(containerID: String) {
        self.containerID = containerID
    }

    /// The first end is the one that counts.
    func end(_ end: End) {
        let waiter = state.withLock { state -> CheckedContinuation<End, Never>? in
            switch state {
            case .ended: return nil
            case .running:
                state = .ended(end)
                return nil
            case .awaited(let continuation):
                state = .ended(end)
                return continuation
            }
        }
        waiter?.resume(returning: end)
    }

    /// To be called once. A cancelled caller gets ``End/abandoned``.
    func wait() async -> End {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let end = state.withLock { state -> End? in
                    if case .ended(let end) = state { return end }
                    state = .awaited(continuation)
                    return nil
                }
                if let end { continuation.resume(returning: end) }
            }
        } onCancel: {
            end(.abandoned)
        }
    }
}

/// The commands under way in all containers, by the numbers that their monitors know them by.
///
/// Not part of an actor: the thread that hears the monitors tells whoever waits without a detour.
final class ExecutionTable: Sendable {
    private let pending = Mutex<[UInt32: PendingExecution]>([:])

    func add(_ execution: PendingExecution) -> UInt32 {
        pending.withLock { pending in
            var identifier = UInt32.random(in: .min ... .max)
            while pending[identifier] != nil { identifier &+= 1 }
            pending[identifier] = execution
            return identifier
        }
    }

    func remove(_ identifier: UInt32) { pending.withLock { $0[identifier] = nil } }

    /// Takes what concerns a command; `false` for news of the container itself.
    func take(_ event: MonitorEvent) -> Bool {
        switch event {
        case .executionStarted: return true
        case .executionFailed(let identifier, let failure): find(identifier)?.end(.failed(failure))
        case .executionExited(let identifier, let exitCode, let signal):
            find(identifier)?.end(.exited(exitCode: signal != 0 ? 128 + signal : exitCode))
        case .launching, .created, .running, .exited: return false
        }
        return true
    }

    func abandonAll(in containerID: String) {
        let abandoned = pending.withLock { $0.values.filter { $0.containerID == containerID } }
        for execution in abandoned { execution.end(.abandoned) }
    }

    private func find(_ identifier: UInt32) -> PendingExecution? { pending.withLock { $0[identifier] } }
}
