import CLinux
import Glibc
import LinuxKernel
import Synchronization

/// A pipe whose read end is collected in memory up to a limit and drained beyond it, so that the writer never blocks.
final class CollectedPipe: Sendable {
    private let readEnd: OwnedDescriptor
    private let write: Mutex<Int32>

    init() throws(KernelError) {
        var ends: [Int32] = [-1, -1]
        try kernelCall("pipe2") { CLinux_pipe(&ends) }
        readEnd = OwnedDescriptor(owning: ends[0])
        write = Mutex(ends[1])
    }

    deinit { closeWriteEnd() }

    var writeEnd: Int32 { write.withLock { $0 } }

    /// Ours; the command has its own.
    func closeWriteEnd() {
        write.withLock { end in
            if end >= 0 { close(end) }
            end = -1
        }
    }

    func collect(limit: Int, _ pool: KernelThreadPool) async -> [UInt8] {
        await pool.run { [self] in
            var collected: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = Glibc.read(readEnd.raw, &chunk, chunk.count)
                if count < 0, errno == EINTR { continue }
                if count <= 0 { return collected }
                collected.append(contentsOf: chunk[..<min(count, max(0, limit - collected.count))])
            }
        }
    }
}
