import Glibc
import LinuxKernel
import SystemPackage

/// Starts a peer's program the cheapest way there is: a vfork-style spawn.
enum PeerProcess {
    /// Runs it to its end. Blocks. Standard error goes to `errors`, a file; input and output to /dev/null.
    /// - Throws: when it cannot be started. What it returns is waitpid(2)'s status.
    static func run(_ arguments: [String], errors: String) throws(KernelError) -> Int32 {
        let pid = try spawn(arguments, errors: errors)
        var status: Int32 = 0
        try kernelCall("waitpid", arguments.first ?? "") { waitpid(pid, &status, 0) }
        return status
    }

    /// Starts it in the background; the caller reaps it.
    static func spawn(_ arguments: [String], errors: String) throws(KernelError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var argv = arguments.map { strdup($0) } + [nil]
        defer { for argument in argv { free(argument) } }
        var environment = [strdup("PATH=/usr/sbin:/usr/bin:/sbin:/bin"), nil]
        defer { for variable in environment { free(variable) } }
        let program = arguments.first ?? ""
        var pid: pid_t = 0
        let code = posix_spawnp(&pid, program, &actions, &attributes, &argv, &environment)
        guard code == 0 else { throw KernelError("spawn", program, errno: .init(rawValue: code)) }
        return pid
    }
}
