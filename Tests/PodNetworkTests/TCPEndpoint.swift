import CLinux
import Glibc
import LinuxKernel
import SystemPackage

@testable import PodNetwork

/// A TCP socket opened in a namespace, with a limit on every wait.
struct TCPEndpoint: ~Copyable {
    private let descriptor: OwnedDescriptor

    private static let timeoutSeconds = 5

    private static func open(_ family: IPAddress.Family) throws(KernelError) -> OwnedDescriptor {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let opened = OwnedDescriptor(
            owning: try kernelCall("socket") { socket(family == .v4 ? AF_INET : AF_INET6, type, 0) })
        var timeout = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        let length = socklen_t(MemoryLayout<timeval>.size)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] { setsockopt(opened.raw, SOL_SOCKET, option, &timeout, length) }
        return opened
    }

    /// Listens on a port of every address of the namespace.
    static func listening(in namespace: String, port: UInt16, family: IPAddress.Family = .v4) throws -> TCPEndpoint {
        let raw = try NetworkNamespace.withinNamespace(namespace) { () throws(KernelError) -> Int32 in
            let opened = try open(family)
            // An earlier connection of this port may still be on its way out.
            var on: Int32 = 1
            setsockopt(opened.raw, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
            let any = IPAddress(family: family, value: 0)
            try withAddress(any, port) { address, length throws(KernelError) in
                try kernelCall("bind") { bind(opened.raw, address, length) }
            }
            try kernelCall("listen") { listen(opened.raw, 8) }
            return opened.release()
        }
        return TCPEndpoint(descriptor: OwnedDescriptor(owning: raw))
    }

    static func connected(in namespace: String, to peer: IPAddress, port: UInt16) throws -> TCPEndpoint {
        let raw = try NetworkNamespace.withinNamespace(namespace) { () throws(KernelError) -> Int32 in
            let opened = try open(peer.family)
            try withAddress(peer, port) { address, length throws(KernelError) in
                try kernelCall("connect to", "\(peer)") { connect(opened.raw, address, length) }
            }
            return opened.release()
        }
        return TCPEndpoint(descriptor: OwnedDescriptor(owning: raw))
    }

    /// Takes a waiting connection, passes a byte from it to `client` and back, and gives the client's address as seen
    /// here.
    func serveOne(_ client: borrowing TCPEndpoint) throws(KernelError) -> IPAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let raw = try withUnsafeMutablePointer(to: &storage) { pointer throws(KernelError) in
            let address = UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self)
            return try kernelCall("accept") { accept(descriptor.raw, address, &length) }
        }
        let accepted = OwnedDescriptor(owning: raw)
        try accepted.writeAll([42])
        var byte: UInt8 = 0
        try kernelCall("read") { read(client.descriptor.raw, &byte, 1) }
        guard byte == 42 else { throw KernelError("read", errno: .ioError) }
        return withUnsafeBytes(of: storage) { bytes in
            storage.ss_family == sa_family_t(AF_INET) ? IPAddress(bytes: bytes[4..<8]) : IPAddress(bytes: bytes[8..<24])
        }
    }

    private static func withAddress(
        _ address: IPAddress, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) throws(KernelError) -> Void
    ) throws(KernelError) {
        // struct sockaddr_in or sockaddr_in6: family, port, (flow label,) address.
        let family = UInt16(address.family == .v4 ? AF_INET : AF_INET6)
        var bytes = withUnsafeBytes(of: family) { Array($0) } + [UInt8(port >> 8), UInt8(truncatingIfNeeded: port)]
        bytes +=
            address.family == .v4
            ? address.bytes + [UInt8](repeating: 0, count: 8) : [0, 0, 0, 0] + address.bytes + [0, 0, 0, 0]
        var failure: KernelError?
        bytes.withUnsafeBytes { raw in
            guard let base = raw.baseAddress else { return }
            do throws(KernelError) {
                try body(base.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count))
            } catch { failure = error }
        }
        if let failure { throw failure }
    }
}
