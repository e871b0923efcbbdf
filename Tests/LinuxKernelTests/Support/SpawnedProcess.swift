import Glibc
import LinuxKernel
import SystemPackage

/// A process of a test: killed and reaped with its scope.
struct SpawnedProcess: ~Copyable {
    let handle: PidFD
    var pid: Int32 { handle.pid }

    /// Runs `script` in a shell, with `arguments` as `$1`, `$2`, ….
    init(shell script: String, _ arguments: [String] = []) throws {
        try self.init(["/bin/sh", "-c", script, "sh"] + arguments)
    }

    /// A process that joined a cgroup the way a container's init does, and then became `command`.
    init(in joinPoints: CgroupJoinPoints, _ command: String) throws {
        // The v2 side moves too: a shell cannot be cloned into its cgroup.
        let files = joinPoints.v1TasksFiles + (joinPoints.v2Directory.map { [$0 + "/cgroup.procs"] } ?? [])
        try self.init(shell: "for file in \"$@\"; do echo 0 > \"$file\" || exit 99; done; \(command)", files)
    }

    init(_ command: [String]) throws {
        var pid: Int32 = 0
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        var environment: [UnsafeMutablePointer<CChar>?] = [strdup("PATH=/usr/bin:/bin"), nil]
        defer { free(environment[0]) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The runner of the tests may ignore or block signals, which a child would inherit.
        var all = sigset_t()
        sigfillset(&all)
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        let code = posix_spawn(&pid, command[0], nil, &attributes, &arguments, &environment)
        guard code == 0 else { throw KernelError("posix_spawn", command[0], errno: .init(rawValue: code)) }
        handle = try PidFD.open(pid)
    }

    deinit {
        _ = try? handle.send(SIGKILL)
        // ECHILD when the test reaped it.
        _ = try? handle.reap()
    }
}
