import Glibc

/// This program once more, with other arguments; its standard output comes here.
struct ChildProcess {
    private let pid: pid_t
    private let output: Int32

    init(arguments: [String]) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0, fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0 else { fatalError("no pipe: errno \(errno)") }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_addclose(&actions, ends[1])
        var pointers: [UnsafeMutablePointer<CChar>?] = (["swiftlet-simulation"] + arguments).map { strdup($0) }
        pointers.append(nil)
        var pid: pid_t = 0
        let failure = posix_spawn(&pid, "/proc/self/exe", &actions, nil, &pointers, environ)
        posix_spawn_file_actions_destroy(&actions)
        for pointer in pointers { free(pointer) }
        close(ends[1])
        if failure != 0 { fatalError("no child process: errno \(failure)") }
        (self.pid, output) = (pid, ends[0])
    }

    /// All of its output, once it has ended.
    func lines() -> [String] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(output, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        close(output)
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    func hasSucceeded() -> Bool {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status == 0
    }
}
