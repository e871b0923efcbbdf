import CLinux
import Glibc
import SystemPackage

/// Runs a program of the host's to its end, for work that may hang for as long as it likes, such as a mount from another machine.
public enum HelperProcess {
    /// How it ended.
    public struct Outcome: Hashable, Sendable {
        /// Nil for one that was killed because its time was over.
        public var exit: PidFD.Exit?
        /// What it wrote, standard error included, cut to ``HelperProcess/outputLimit``.
        public var output: String

        public var isSuccess: Bool { exit == .code(0) }
    }

    /// Bytes kept of the output.
    public static let outputLimit = 4096
    /// Threads of its own: one that hangs takes none from the rest of the agent.
    private static let pool = KernelThreadPool(threads: 2)
    /// How long one that was killed may take to be gone. One that sleeps in the kernel, on a server that does not answer, is left
    /// behind: it ends when it wakes.
    private static let killPatience = Duration.seconds(1)

    /// - Parameter program: absolute.
    /// - Throws: when it cannot be started.
    public static func run(
        _ program: String, _ arguments: [String], timeout: Duration
    ) async throws(KernelError) -> Outcome {
        try await pool.run { () throws(KernelError) in try runBlocking(program, arguments, timeout: timeout) }
    }

    private static func runBlocking(
        _ program: String, _ arguments: [String], timeout: Duration
    ) throws(KernelError) -> Outcome {
        var ends: [Int32] = [-1, -1]
        // A socket pair: it comes with close-on-exec, and non-blocking. Read after the end, and never waited for: a child of the
        // program's may hold it open.
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        try kernelCall("socketpair") { socketpair(AF_UNIX, type, 0, &ends) }
        let reading = OwnedDescriptor(owning: ends[0])
        let writing = OwnedDescriptor(owning: ends[1])
        let process = try PidFD.open(try spawn(program, arguments, output: writing))
        let hasEnded = try process.waitForEnd(timeout: timeout)
        if !hasEnded {
            try process.send(SIGKILL)
            guard try process.waitForEnd(timeout: killPatience) else { return Outcome(exit: nil, output: "") }
        }
        let exit = try process.reap()
        return Outcome(exit: hasEnded ? exit : nil, output: text(reading))
    }

    private static func text(_ pipe: borrowing OwnedDescriptor) -> String {
        var bytes = [UInt8](repeating: 0, count: outputLimit)
        let count = read(pipe.raw, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
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
