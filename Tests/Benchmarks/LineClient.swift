import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// Asks a server with one line for one line, on a connection of its own.
enum LineClient {
    static func ask(_ address: String, port: UInt16) throws(KernelError) {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = OwnedDescriptor(owning: try kernelCall("socket") { socket(AF_INET, kind, 0) })
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        try kernelCall("setsockopt") {
            setsockopt(descriptor.raw, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        }
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = port.bigEndian
        guard inet_pton(AF_INET, address, &target.sin_addr) == 1 else {
            throw KernelError("inet_pton", address, errno: .invalidArgument)
        }
        let code = withUnsafePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor.raw, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else { throw KernelError.last("connect", address) }
        let line = Array("?\n".utf8)
        try kernelCall("send", address) { send(descriptor.raw, line, line.count, Int32(MSG_NOSIGNAL)) }
        let answer = try descriptor.readAll(limit: 4096)
        guard answer.last == 0x0A else { throw KernelError("read", address, errno: .ioError) }
    }
}
