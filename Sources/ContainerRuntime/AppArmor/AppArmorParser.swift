import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// Runs apparmor_parser(8): the kernel takes profiles only in the form that this program makes of them.
enum AppArmorParser {
    private static let programs = ["/sbin/apparmor_parser", "/usr/sbin/apparmor_parser", "/usr/bin/apparmor_parser"]
    private static let timeout = Duration.seconds(30)

    /// Where it is on this host; nil when it is not installed.
    static var program: String? { programs.first { FileSystem.exists($0) } }

    /// Loads a profile, in the place of one of that name. Profiled processes go on under the new one.
    ///
    /// - Returns: why it was not loaded; nil when it was.
    static func load(_ text: String, file: String) throws(KernelError) -> String? {
        guard let program else { return "apparmor_parser is not installed" }
        try FileSystem.writeAtomically(file, Array(text.utf8), durable: false)
        let log = file + ".log"
        unlink(log)
        let process = try PidFD.open(try spawn(program, ["--replace", "--skip-cache", file], output: log))
        guard try process.waitForEnd(timeout: timeout) else {
            try process.send(SIGKILL)
            _ = try process.reap()
            return "apparmor_parser took longer than \(timeout)"
        }
        if case .code(0) = try process.reap() { return nil }
        let lines = ((try? FileSystem.readText(log, limit: 64 << 10)) ?? "").split(separator: "\n")
        // Before it, there may be warnings.
        let reason = lines.first { $0.contains("error") } ?? lines.last
        return "apparmor_parser: " + (reason.map(String.init) ?? "failed without a word")
    }

    private static func spawn(
        _ program: String, _ arguments: [String], output: String
    ) throws(KernelError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
        defer { for word in words { free(word) } }
        words.append(nil)
        var environment: [UnsafeMutablePointer<CChar>?] = [nil]
        var pid: pid_t = 0
        let code = posix_spawn(&pid, program, &actions, &attributes, words, &environment)
        guard code == 0 else { throw KernelError("spawn", program, errno: Errno(rawValue: code)) }
        return pid
    }
}
