import LinuxKernel

/// Waits for output: inotify on the log, no polling.
enum LogWatch {
    static func wait(for text: String, in path: String) async throws {
        let loop = try EpollLoop(name: "log-watch")
        defer { loop.stop() }
        let inotify = try Inotify(loop: loop)
        _ = try inotify.watch(path, mask: Inotify.modification)
        if try FileSystem.readText(path).contains(text) { return }
        for await _ in inotify.events where try FileSystem.readText(path).contains(text) { return }
    }
}
