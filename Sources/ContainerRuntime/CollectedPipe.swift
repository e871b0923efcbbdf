import CLinux
import Glibc
import LinuxKernel
import Synchronization

/// A pipe whose content is kept in memory up to a limit and dropped beyond it, so that the writer never blocks for long.
///
/// Nobody waits for its end: what a command leaves running in the background may hold it open for ever.
final class CollectedPipe: Sendable {
    private final class Collection: Sendable {
        let readEnd: OwnedDescriptor
        let limit: Int
        let bytes = Mutex<[UInt8]>([])

        init(_ readEnd: consuming OwnedDescriptor, limit: Int) {
            self.readEnd = readEnd
            self.limit = limit
        }

        /// Takes what is there, at most `rounds` buffers of it.
        func take(rounds: Int) {
            bytes.withLock { bytes in
                var chunk = [UInt8](repeating: 0, count: 16384)
                for _ in 0..<rounds {
                    let count = Glibc.read(readEnd.raw, &chunk, chunk.count)
                    if count < 0, errno == EINTR { continue }
                    if count <= 0 { return }
                    bytes.append(contentsOf: chunk[..<min(count, max(0, limit - bytes.count))])
                }
            }
        }
    }

    private let collection: Collection
    private let write: Mutex<Int32>
    private let loop: EpollLoop
    private let token: EpollToken

    /// - Parameter limit: bytes to keep.
    init(limit: Int, loop: EpollLoop) throws(KernelError) {
        var ends: [Int32] = [-1, -1]
        try kernelCall("pipe2") { CLinux_pipe(&ends) }
        let collection = Collection(OwnedDescriptor(owning: ends[0]), limit: limit)
        self.collection = collection
        self.loop = loop
        write = Mutex(ends[1])
        do throws(KernelError) {
            let descriptor = collection.readEnd.raw
            try kernelCall("fcntl") { fcntl(descriptor, F_SETFL, O_NONBLOCK) }
            // One buffer a turn: a flood shares the loop with every other descriptor.
            token = try loop.add(descriptor: descriptor, events: EpollEvents.readable) { events in
                collection.take(rounds: 1)
            }
        } catch {
            close(ends[1])
            throw error
        }
    }

    deinit {
        loop.remove(token)
        closeWriteEnd()
    }

    var writeEnd: Int32 { write.withLock { $0 } }

    /// Ours; the command has its own.
    func closeWriteEnd() {
        write.withLock { end in
            if end >= 0 { close(end) }
            end = -1
        }
    }

    /// After the command's end: all it wrote is in the pipe by then.
    func finish() -> [UInt8] {
        loop.remove(token)
        // As much as the largest pipe holds.
        collection.take(rounds: 64)
        return collection.bytes.withLock { $0 }
    }
}
