import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// What the agent sends to a jailed process, up to its end.
final class SocketByteSource: ByteSource {
    private let socket: Int32
    private let subject: String
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)

    /// The socket stays the caller's, and open.
    init(_ socket: Int32, subject: String) {
        self.socket = socket
        self.subject = subject
    }

    deinit { buffer.deallocate() }

    func next() throws(ImageError) -> UnsafeRawBufferPointer {
        let count = try storing(subject) { () throws(KernelError) in
            try kernelCall("recv") { recv(socket, buffer.baseAddress, buffer.count, 0) }
        }
        return UnsafeRawBufferPointer(rebasing: buffer[..<count])
    }
}
