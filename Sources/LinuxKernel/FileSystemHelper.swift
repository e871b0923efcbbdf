import Glibc
import Synchronization
import SystemPackage

/// Touches file systems that may hang, because a server, a driver or a disk behind them is gone, in processes of their own.
///
/// Who looks into such a file system sleeps in the kernel, in some of them deaf to every signal: a thread would be lost, and with it
/// the end of its whole process, and the locks and sockets that the process holds. The last to unmount one sleeps as well: he ends
/// the session with the server.
public final class FileSystemHelper: Sendable {
    private struct State {
        /// The path that each process looks at.
        var asked: [UInt64: String] = [:]
        /// Those of them that were left behind.
        var silent: [String: Set<UInt64>] = [:]
        /// When a path was silent the last time.
        var silence: [String: ContinuousClock.Instant] = [:]
        var nextNumber: UInt64 = 0
        var answered: [String: ContinuousClock.Instant] = [:]
    }

    /// What answered just now is not asked again: several looks belong to one start of a container. Whatever falls silent in so short
    /// a time costs the thread that looks.
    private static let freshness = Duration.milliseconds(100)
    /// What was silent is not asked again for so long, as each question takes its time.
    private static let silenceFreshness = Duration.seconds(5)
    private static let freshLimit = 256
    /// A path may have 4096 bytes, and the helper reads 64 KiB of words.
    private static let pointsAtOnce = 8
    /// The mounts are gone long before; it only ends sessions.
    private static let unmountTimeout = Duration.seconds(2)

    private let program: String
    private let timeout: Duration
    private let state = Mutex(State())

    /// - Parameters:
    ///   - program: the path of swiftlet-monitor.
    ///   - timeout: a file system that takes longer does not answer.
    public init(program: String, timeout: Duration = .seconds(5)) {
        self.program = program
        self.timeout = timeout
    }

    /// Whether the file system of a path, which need not exist, answers. One that was silent is not asked again at once, nor while the
    /// process that asked it sleeps.
    ///
    /// - Parameter patience: nil for the usual one.
    /// - Throws: when it cannot be asked.
    public func answers(_ path: String, within patience: Duration? = nil) async throws(KernelError) -> Bool {
        let known = state.withLock { state -> Bool? in
            if state.silent[path] != nil { return false }
            if let time = state.silence[path], time.duration(to: .now) < Self.silenceFreshness { return false }
            guard let time = state.answered[path] else { return nil }
            return time.duration(to: .now) < Self.freshness ? true : nil
        }
        if let known { return known }
        let number = state.withLock { state in
            state.nextNumber += 1
            state.asked[state.nextNumber] = path
            return state.nextNumber
        }
        let outcome: HelperProcess.Outcome
        do throws(KernelError) {
            outcome = try await HelperProcess.run(program, ["probe", path], timeout: patience ?? timeout) { [self] in
                hasEnded(number)
            }
        } catch {
            hasEnded(number)
            throw error
        }
        return state.withLock { state in
            // How it ended is all the same: it has looked.
            guard outcome.exit != nil else {
                if state.asked[number] != nil { state.silent[path, default: []].insert(number) }
                if state.silence.count >= Self.freshLimit { state.silence = [:] }
                state.silence[path] = .now
                return false
            }
            state.silence[path] = nil
            if state.answered.count >= Self.freshLimit { state.answered = [:] }
            state.answered[path] = .now
            return true
        }
    }

    private func hasEnded(_ number: UInt64) {
        state.withLock { state in
            guard let path = state.asked.removeValue(forKey: number) else { return }
            state.silent[path]?.remove(number)
            if state.silent[path]?.isEmpty == true { state.silent[path] = nil }
        }
    }

    /// Unmounts what is mounted at points below a directory, and all that is mounted below them, without a look into them and without
    /// following a link. What is left is to be seen in the mount table.
    ///
    /// - Parameters:
    ///   - points: relative to the directory.
    ///   - directory: on a file system of the agent's own.
    public func unmount(_ points: [String], below directory: String) async throws(KernelError) {
        var rest = points[...]
        while !rest.isEmpty {
            let some = Array(rest.prefix(Self.pointsAtOnce))
            rest = rest.dropFirst(Self.pointsAtOnce)
            _ = try await HelperProcess.run(program, ["unmount", directory] + some, timeout: Self.unmountTimeout)
        }
    }
}
