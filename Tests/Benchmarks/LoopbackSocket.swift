import CLinux
import Glibc
import LinuxKernel

/// A TCP socket bound to a port of 127.0.0.1 that nobody else had.
struct LoopbackSocket: ~Copyable {
    let descriptor: OwnedDescriptor
    let port: UInt16

    init() throws(KernelError) {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        let owned = OwnedDescriptor(owning: try kernelCall("socket") { socket(AF_INET, kind, 0) })
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let raw = owned.raw
        let code = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(raw, pointer, length) == 0 ? getsockname(raw, pointer, &length) : -1
            }
        }
        guard code == 0 else { throw KernelError.last("bind", "127.0.0.1:0") }
        descriptor = owned
        port = UInt16(bigEndian: address.sin_port)
    }

    /// Gives up the socket: the port is free again, and most likely still a moment later.
    static func freePort() throws(KernelError) -> UInt16 { try LoopbackSocket().port }
}
