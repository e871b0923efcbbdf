import Glibc
import LinuxKernel
import SystemPackage

/// Reads one container log file, and with `follow` what is appended to it until the container has ended. Pulled: nothing is
/// read ahead of the consumer.
///
/// The file is opened without following a link in its last component: it is the node's, not the container's.
public actor ContainerLogReader {
    private let path: String
    private let options: ContainerLogOptions
    /// Whether the container of this log has ended. Asked once, when following begins.
    private let hasEnded: @Sendable () async -> Bool
    private let file: LogDescriptor
    private var filter: ContainerLogFilter
    private var offset: Int
    private var follower: Follower?
    private var isComplete = false

    /// What tells a follower that there is more: the monitor writes, and closes when its container has ended.
    private struct Follower {
        let loop: EpollLoop
        let changes: Inotify
    }

    public init(
        path: String, options: ContainerLogOptions, hasEnded: @escaping @Sendable () async -> Bool
    ) throws(ContainerLogError) {
        self.path = path
        self.options = options
        self.hasEnded = hasEnded
        filter = ContainerLogFilter(options)
        do throws(KernelError) {
            file = LogDescriptor(try OwnedDescriptor.open(path, O_RDONLY | O_NOFOLLOW))
            offset = try Self.startOffset(file, options)
        } catch { throw .notFound("log file \(path) cannot be read: \(error.errno)") }
    }

    deinit { follower?.loop.stop() }

    /// The next piece of at most 64 KiB of the file; nil at the end.
    public func next() async throws -> [UInt8]? {
        while !filter.isDone {
            let (file, position) = (file, offset)
            let bytes = try await KernelThreadPool.shared.run { () throws(KernelError) in
                try file.read(at: position, count: 65536)
            }
            offset += bytes.count
            let output = filter.append(bytes)
            if !output.isEmpty { return output }
            if bytes.isEmpty {
                guard options.follow, !isComplete else { return nil }
                try await waitForMore()
            }
        }
        return nil
    }

    /// Returns when the file may have grown. Marks the log complete when its container is known to have ended: what was
    /// written until then is read once more.
    private func waitForMore() async throws {
        guard let follower else {
            let loop = try EpollLoop(name: "log-follow")
            let changes = try Inotify(loop: loop)
            _ = try changes.watch(path, mask: Inotify.modification | UInt32(IN_CLOSE_WRITE))
            follower = Follower(loop: loop, changes: changes)
            // Watched from here on: an end before it is seen now, one after it as an event.
            isComplete = await hasEnded()
            return
        }
        for await event in follower.changes.events {
            // Its only writer closed it: the container has ended, or its log was rotated and goes on elsewhere.
            if event.mask & UInt32(IN_CLOSE_WRITE) != 0 { isComplete = true }
            return
        }
        isComplete = true
    }

    private static func startOffset(
        _ file: LogDescriptor, _ options: ContainerLogOptions
    ) throws(KernelError) -> Int {
        guard let lines = options.tailLines else { return 0 }
        // Entries are counted from the end in ever larger windows, so that the tail of a large log costs little.
        let size = try file.size()
        var window = 65536
        while true {
            let start = max(0, size - window)
            let bytes = try file.read(at: start, count: size - start)
            let offset = ContainerLogFilter.tailOffset(bytes, lines: lines)
            if offset > 0 || start == 0 { return start + offset }
            window *= 4
        }
    }
}

/// A log file held open: a rotation moves its name, not what is being read.
private final class LogDescriptor: Sendable {
    private let descriptor: OwnedDescriptor

    init(_ descriptor: consuming OwnedDescriptor) {
        self.descriptor = descriptor
    }

    func size() throws(KernelError) -> Int {
        var status = stat()
        try kernelCall("fstat") { fstat(descriptor.raw, &status) }
        return Int(status.st_size)
    }

    func read(at offset: Int, count: Int) throws(KernelError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = try kernelCall("pread") {
                buffer.withUnsafeMutableBytes { bytes in
                    pread(descriptor.raw, bytes.baseAddress.map { $0 + filled }, count - filled, off_t(offset + filled))
                }
            }
            if got == 0 { break }
            filled += got
        }
        buffer.removeLast(count - filled)
        return buffer
    }
}
