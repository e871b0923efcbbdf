import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// An archive as a jailed process reads it: the agent, which has the file, is asked for every piece.
final class RequestedByteSource: ByteSource {
    private let channel: JailChannel
    private let sizeBytes: Int64
    private let subject: String
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: ArchiveFile.chunkBytes, alignment: 16)
    private var positionBytes: Int64 = 0

    init(_ channel: JailChannel, sizeBytes: Int64, subject: String) {
        self.channel = channel
        self.sizeBytes = sizeBytes
        self.subject = subject
    }

    deinit { buffer.deallocate() }

    func next() throws(ImageError) -> UnsafeRawBufferPointer {
        let position = positionBytes
        let count = try storing(subject) { () throws(KernelError) in
            try channel.send(.read(offsetBytes: position))
            let count = Int(try channel.integer(UInt32.self))
            guard count <= buffer.count else { throw KernelError("recv", errno: .badMessage) }
            try channel.receive(UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
            return count
        }
        positionBytes += Int64(count)
        return UnsafeRawBufferPointer(rebasing: buffer[..<count])
    }

    func skip(_ count: Int64) -> Int64 {
        // Never past the end: a truncated file must be seen as one.
        let distance = min(max(0, count), sizeBytes - positionBytes)
        guard distance > 0 else { return 0 }
        positionBytes += distance
        return distance
    }
}
