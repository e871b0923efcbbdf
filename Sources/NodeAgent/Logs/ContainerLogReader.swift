import Glibc
import KubernetesAPI
import LinuxKernel
import SystemPackage

/// Reads one container's log, the files it was rotated out of first, and with `follow` what is appended to it until the container has
/// ended. Pulled: nothing is read ahead of the consumer. Over a rotation no line is lost and none repeated.
public actor ContainerLogReader {
    private let files: LogFiles
    private let options: ContainerLogOptions
    /// Whether the container of this log has ended. Asked when following a file begins.
    private let hasEnded: @Sendable () async -> Bool
    private var input: LogInput
    private var filter: ContainerLogFilter
    private var offset = 0
    /// Content that is passed over: before the tail that is wanted.
    private var skipped: Int
    private var follower: Follower?
    /// Of the file being read: its only writer has closed it.
    private var isClosed = false

    /// What tells a follower that there is more: the monitor writes, and closes when its container has ended or its log was rotated.
    private struct Follower {
        let loop: EpollLoop
        let changes: Inotify
        var watch: Int32?
    }

    public init(
        path: String, options: ContainerLogOptions, hasEnded: @escaping @Sendable () async -> Bool
    ) throws(ContainerLogError) {
        files = LogFiles(path: path)
        self.options = options
        self.hasEnded = hasEnded
        filter = ContainerLogFilter(options)
        do throws(KernelError) {
            let start = try files.start(lines: options.tailLines, sinceSeconds: options.since?.seconds)
            input = start.input
            skipped = start.offset
        } catch { throw .notFound("log file \(path) cannot be read: \(error.errno)") }
    }

    deinit { follower?.loop.stop() }

    /// The next piece, of at most 64 KiB of the log; nil at the end.
    public func next() async throws -> [UInt8]? {
        while !filter.isDone {
            let bytes = try await read()
            let output = filter.append(bytes)
            if !output.isEmpty { return output }
            guard bytes.isEmpty else { continue }
            if try await goOn() { continue }
            guard options.follow, !isClosed else { return nil }
            try await waitForMore()
        }
        return nil
    }

    private func read() async throws -> [UInt8] {
        while true {
            let (input, position) = (input, input.isCompressed ? 0 : max(offset, skipped))
            let bytes = try await KernelThreadPool.shared.run { () throws(KernelError) in
                try input.read(at: position, count: 65536)
            }
            guard input.isCompressed else {
                offset = position + bytes.count
                return bytes
            }
            let useless = max(0, min(skipped - offset, bytes.count))
            offset += bytes.count
            if useless < bytes.count || bytes.isEmpty { return Array(bytes.dropFirst(useless)) }
        }
    }

    /// At the end of a file: whether the log goes on in another one. What was written between the last look at this one and its
    /// rotation is read before.
    private func goOn() async throws -> Bool {
        let (files, input, end) = (files, input, offset)
        let next = try await KernelThreadPool.shared.run { () throws(KernelError) -> (rest: Bool, input: LogInput?) in
            guard let next = try files.successor(of: input) else { return (false, nil) }
            if !input.isCompressed, try !input.read(at: end, count: 1).isEmpty { return (true, nil) }
            return (false, next)
        }
        if next.rest { return true }
        guard let successor = next.input else { return false }
        self.input = successor
        offset = 0
        skipped = 0
        isClosed = false
        if let watch = follower?.watch { follower?.changes.unwatch(watch) }
        follower?.watch = nil
        return true
    }

    /// Returns when the file may have grown. It is closed when its container is known to have ended: what was written until then
    /// is read once more.
    private func waitForMore() async throws {
        if follower == nil {
            let loop = try EpollLoop(name: "log-follow")
            follower = Follower(loop: loop, changes: try Inotify(loop: loop))
        }
        guard let follower else { return }
        guard let watch = follower.watch else {
            // Another file is there by now: the next look finds it.
            guard let watch = try? follower.changes.watch(files.path, mask: Self.changes) else { return await pause() }
            self.follower?.watch = watch
            // Watched from here on: an end before it is seen now, one after it as an event.
            isClosed = await hasEnded()
            return
        }
        for await event in follower.changes.events where event.isOverflow || event.watch == watch {
            // Its only writer closed it: the container has ended, or its log was rotated and goes on elsewhere.
            if event.mask & UInt32(IN_CLOSE_WRITE) != 0 { isClosed = true }
            return
        }
        isClosed = true
    }

    private static let changes = Inotify.modification | UInt32(IN_CLOSE_WRITE)

    /// The log is between two files, for as long as two renames take; or gone with its pod.
    private func pause() async {
        isClosed = await hasEnded()
        if !isClosed { try? await ContinuousClock().sleep(for: .milliseconds(20)) }
    }
}
