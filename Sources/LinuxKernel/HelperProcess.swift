import CLinux
import Glibc
import Synchronization
import SystemPackage

/// Runs a program of the host's to its end, for work that may hang for as long as it likes, such as a mount from another machine.
///
/// No thread waits for it. One that sleeps in the kernel where no signal reaches it is left behind, and reaped when it wakes.
public enum HelperProcess {
    /// How it ended.
    public struct Outcome: Hashable, Sendable {
        /// Nil for one that was killed because its time was over, or nobody waited for it any more.
        public var exit: PidFD.Exit?
        /// What it wrote, standard error included, cut to ``HelperProcess/outputLimit``.
        public var output: String

        public var isSuccess: Bool { exit == .code(0) }
    }

    /// Bytes kept of the output.
    public static let outputLimit = 4096
    /// Those left behind included; more at a time are refused (EAGAIN).
    public static let maximumProcesses = 128
    /// How long one that was killed may take to be gone, before it is left behind.
    private static let killPatience = Duration.seconds(1)
    /// Made when the first program is run.
    private static let loop = Result { () throws(KernelError) -> EpollLoop in try EpollLoop(name: "helpers") }
    private static let count = Mutex(0)

    /// Cancelled, it kills the program.
    ///
    /// - Parameters:
    ///   - program: absolute.
    ///   - onEnd: called when the process is gone, however long that takes; not when it could not be started.
    /// - Throws: when it cannot be started.
    public static func run(
        _ program: String, _ arguments: [String], timeout: Duration, onEnd: @escaping @Sendable () -> Void = {}
    ) async throws(KernelError) -> Outcome {
        let loop = try loop.get()
        let isTaken = count.withLock { count in
            guard count < maximumProcesses else { return false }
            count += 1
            return true
        }
        if !isTaken { throw KernelError("spawn", program, errno: .resourceTemporarilyUnavailable) }
        let running: Running
        do throws(KernelError) {
            running = try await KernelThreadPool.shared.run { () throws(KernelError) in
                try start(program, arguments, loop) {
                    count.withLock { $0 -= 1 }
                    onEnd()
                }
            }
        } catch {
            count.withLock { $0 -= 1 }
            throw error
        }
        return await running.outcome(timeout: timeout, killPatience: killPatience)
    }

    private static func start(
        _ program: String, _ arguments: [String], _ loop: EpollLoop, onEnd: @escaping @Sendable () -> Void
    ) throws(KernelError) -> Running {
        var ends: [Int32] = [-1, -1]
        // A socket pair: it comes with close-on-exec, and non-blocking. Read after the end, and never waited for: a child of the
        // program's may hold it open.
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        try kernelCall("socketpair") { socketpair(AF_UNIX, type, 0, &ends) }
        let reading = OwnedDescriptor(owning: ends[0])
        let writing = OwnedDescriptor(owning: ends[1])
        let pid = try spawn(program, arguments, output: writing)
        do throws(KernelError) {
            let running = Running(try PidFD.open(pid), reading, loop, onEnd: onEnd)
            try running.watch()
            return running
        } catch {
            // Nobody would hear of its end.
            kill(pid, SIGKILL)
            throw error
        }
    }

    /// A program that was started. Its registration with the loop keeps it until the process has ended.
    private final class Running: Sendable {
        private struct State {
            var token: EpollToken?
            var timer: EpollToken?
            var isKilled = false
            var hasEnded = false
            /// What whoever waits is told, once.
            var outcome: Outcome?
            var waiter: CheckedContinuation<Outcome, Never>?
        }

        private let process: PidFD
        private let output: OwnedDescriptor
        private let loop: EpollLoop
        private let onEnd: @Sendable () -> Void
        private let state = Mutex(State())

        init(
            _ process: consuming PidFD, _ output: consuming OwnedDescriptor, _ loop: EpollLoop,
            onEnd: @escaping @Sendable () -> Void
        ) {
            self.process = process
            self.output = output
            self.loop = loop
            self.onEnd = onEnd
        }

        func watch() throws(KernelError) {
            let events = EpollEvents.readable | EpollEvents.oneShot
            let token = try loop.add(descriptor: process.raw, events: events) { [self] _ in end() }
            let hasEnded = state.withLock { state in
                state.token = token
                return state.hasEnded
            }
            if hasEnded { loop.remove(token) }
        }

        func outcome(timeout: Duration, killPatience: Duration) async -> Outcome {
            schedule(after: timeout) { [self] in kill(patience: killPatience) }
            return await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let known = state.withLock { state in
                        if state.outcome == nil { state.waiter = continuation }
                        return state.outcome
                    }
                    if let known { continuation.resume(returning: known) }
                }
            } onCancel: {
                kill(patience: killPatience)
            }
        }

        /// Replaces the timer before it.
        private func schedule(after duration: Duration, _ handler: @escaping @Sendable () -> Void) {
            let timer = loop.schedule(after: duration, handler: handler)
            let stale = state.withLock { state in
                if state.outcome != nil { return timer as EpollToken? }
                defer { state.timer = timer }
                return state.timer
            }
            if let stale { loop.remove(stale) }
        }

        private func kill(patience: Duration) {
            let isFirst = state.withLock { state in
                defer { state.isKilled = true }
                return !state.isKilled && !state.hasEnded
            }
            guard isFirst else { return }
            // A failure means that it has just ended.
            _ = try? process.send(SIGKILL)
            schedule(after: patience) { [self] in tell(Outcome(exit: nil, output: "")) }
        }

        private func end() {
            let exit = try? process.reap()
            let (token, isKilled) = state.withLock { state in
                state.hasEnded = true
                return (state.token, state.isKilled)
            }
            if let token { loop.remove(token) }
            tell(Outcome(exit: isKilled ? nil : exit ?? .code(-1), output: text()))
            onEnd()
        }

        private func tell(_ outcome: Outcome) {
            let (waiter, timer) = state.withLock { state -> (CheckedContinuation<Outcome, Never>?, EpollToken?) in
                defer { (state.waiter, state.timer) = (nil, nil) }
                if state.outcome == nil { state.outcome = outcome }
                return (state.waiter, state.timer)
            }
            if let timer { loop.remove(timer) }
            waiter?.resume(returning: outcome)
        }

        private func text() -> String {
            var bytes = [UInt8](repeating: 0, count: outputLimit)
            let count = read(output.raw, &bytes, bytes.count)
            return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        }
    }

    private static func spawn(
        _ program: String, _ arguments: [String], output: borrowing OwnedDescriptor
    ) throws(KernelError) -> pid_t {
        let null = try OwnedDescriptor.open("/dev/null", O_RDWR)
        // dup2 leaves a descriptor alone that has the right number already, close-on-exec included.
        let input = OwnedDescriptor(owning: try kernelCall("dup") { CLinux_fcntl_int(null.raw, F_DUPFD_CLOEXEC, 16) })
        let written = OwnedDescriptor(
            owning: try kernelCall("dup") { CLinux_fcntl_int(output.raw, F_DUPFD_CLOEXEC, 16) })
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input.raw, 0)
        posix_spawn_file_actions_adddup2(&actions, written.raw, 1)
        posix_spawn_file_actions_adddup2(&actions, written.raw, 2)
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        posix_spawn_file_actions_addchdir_np(&actions, "/")
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | 0x80 /* POSIX_SPAWN_SETSID */
        posix_spawnattr_setflags(&attributes, Int16(flags))
        let settings = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"]
        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { $0.withCString(strdup) } + [nil]
        var environment: [UnsafeMutablePointer<CChar>?] = settings.map { $0.withCString(strdup) } + [nil]
        defer { for word in words + environment { free(word) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, program, &actions, &attributes, &words, &environment)
        guard code == 0 else { throw KernelError("spawn", program, errno: Errno(rawValue: code)) }
        return pid
    }
}
