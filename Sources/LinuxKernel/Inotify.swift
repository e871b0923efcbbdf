import Glibc
import Synchronization
import SystemPackage

/// A change reported by inotify(7).
public struct InotifyEvent: Hashable, Sendable {
    /// Of the watch, as ``Inotify/watch(_:mask:)`` gave it; -1 for an overflow.
    public let watch: Int32
    /// `IN_*` bits.
    public let mask: UInt32
    /// Pairs the two halves of a rename.
    public let cookie: UInt32
    /// The entry of the watched directory; empty when it is about the watched path itself.
    public let name: String

    public init(watch: Int32, mask: UInt32, cookie: UInt32 = 0, name: String = "") {
        self.watch = watch
        self.mask = mask
        self.cookie = cookie
        self.name = name
    }

    /// Events were lost: what is watched has to be read anew.
    public var isOverflow: Bool { mask & UInt32(IN_Q_OVERFLOW) != 0 }
    /// The watch is gone, because its path is or because it was taken off.
    public var isIgnored: Bool { mask & UInt32(IN_IGNORED) != 0 }

    static let overflow = InotifyEvent(watch: -1, mask: UInt32(IN_Q_OVERFLOW))
}

/// Watches directories and files; events arrive through an asynchronous stream, read on the thread of an ``EpollLoop``.
public final class Inotify: Sendable {
    /// What happened, in order, for one consumer. One that falls behind by more than `eventLimit` events loses the
    /// oldest and finds an overflow event as the newest.
    public let events: AsyncStream<InotifyEvent>

    /// New, removed, renamed and completely written entries of a directory.
    public static let directoryChanges = UInt32(
        IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF)
    /// A changed file, such as `cgroup.events`.
    public static let modification = UInt32(IN_MODIFY)

    private let loop: EpollLoop
    private let source: Source
    private let token: Mutex<EpollToken?>

    public init(loop: EpollLoop, eventLimit: Int = 4096) throws(KernelError) {
        let (stream, continuation) = AsyncStream.makeStream(
            of: InotifyEvent.self, bufferingPolicy: .bufferingNewest(max(2, eventLimit)))
        let source = Source(
            descriptor: OwnedDescriptor(
                owning: try kernelCall("inotify_init1") { inotify_init1(Int32(O_CLOEXEC | O_NONBLOCK)) }),
            continuation: continuation)
        events = stream
        self.loop = loop
        self.source = source
        let added = try loop.add(descriptor: source.descriptor.raw, events: EpollEvents.readable) { _ in source.drain()
        }
        token = Mutex(added)
    }

    deinit { close() }

    /// Watches a path, not following a final symbolic link; a second watch of one path changes the first. ENOSPC when
    /// the user's limit is reached (fs.inotify.max_user_watches).
    public func watch(_ path: String, mask: UInt32 = Inotify.directoryChanges) throws(KernelError) -> Int32 {
        try kernelCall("inotify_add_watch", path) {
            inotify_add_watch(source.descriptor.raw, path, mask | UInt32(IN_DONT_FOLLOW))
        }
    }

    /// Takes a watch off; one that is gone already is fine. An event with `isIgnored` follows.
    public func unwatch(_ watch: Int32) {
        _ = inotify_rm_watch(source.descriptor.raw, watch)
    }

    /// Ends the stream.
    public func close() {
        let taken = token.withLock { token -> EpollToken? in
            defer { token = nil }
            return token
        }
        guard let taken else { return }
        let source = source
        loop.remove(taken) { source.continuation.finish() }
    }

    /// Owns the descriptor; the loop's handler keeps it alive for as long as it may read.
    private final class Source: Sendable {
        let descriptor: OwnedDescriptor
        let continuation: AsyncStream<InotifyEvent>.Continuation

        init(descriptor: consuming OwnedDescriptor, continuation: AsyncStream<InotifyEvent>.Continuation) {
            self.descriptor = descriptor
            self.continuation = continuation
        }

        func drain() {
            var buffer = [UInt8](repeating: 0, count: 64 << 10)
            // One read per wake-up: what is left makes the level-triggered descriptor report again, and other handlers
            // get their turn in between.
            let count = Glibc.read(descriptor.raw, &buffer, buffer.count)
            guard count > 0 else { return }
            for event in Inotify.parse(buffer[..<count]) {
                guard case .dropped = continuation.yield(event) else { continue }
                // As the newest it stays in the buffer, at the price of one more old event.
                continuation.yield(.overflow)
            }
        }
    }

    /// Decodes what read(2) gave: a 16-byte header of native integers, then the name, padded with zeros.
    static func parse(_ bytes: ArraySlice<UInt8>) -> [InotifyEvent] {
        var events: [InotifyEvent] = []
        var rest = bytes
        while rest.count >= 16 {
            let header: (watch: Int32, mask: UInt32, cookie: UInt32, length: UInt32) = rest.withUnsafeBytes { raw in
                (
                    raw.loadUnaligned(fromByteOffset: 0, as: Int32.self),
                    raw.loadUnaligned(fromByteOffset: 4, as: UInt32.self),
                    raw.loadUnaligned(fromByteOffset: 8, as: UInt32.self),
                    raw.loadUnaligned(fromByteOffset: 12, as: UInt32.self)
                )
            }
            rest = rest.dropFirst(16)
            guard rest.count >= Int(header.length) else { break }
            let name = rest.prefix(Int(header.length)).prefix { $0 != 0 }
            events.append(
                InotifyEvent(
                    watch: header.watch, mask: header.mask, cookie: header.cookie,
                    name: String(decoding: name, as: UTF8.self)))
            rest = rest.dropFirst(Int(header.length))
        }
        return events
    }
}
