import Glibc
import LinuxKernel
import SystemPackage

/// Connects to ports of a pod as its own processes do: at its loopback addresses.
enum PodPort {
    /// For a connection to be taken; in the pod itself it needs no network.
    private static let patienceMilliseconds: Int32 = 5000
    /// Of its own, so that a pod that takes no connection holds up none of the node's work.
    private static let pool = KernelThreadPool(threads: 4)

    /// A connected socket, the caller's own. First IPv4, then IPv6.
    /// - Parameter networkNamespace: nil for a pod with the host's network.
    static func connect(_ port: UInt16, networkNamespace: String?) async throws(KernelError) -> Int32 {
        try await pool.run { () throws(KernelError) in
            guard let networkNamespace else { return try connect(port) }
            let pair = try NetworkNamespace.withinNamespace(networkNamespace) { () throws(KernelError) in
                try connect(port)
            }
            return pair
        }
    }

    private static func connect(_ port: UInt16) throws(KernelError) -> Int32 {
        var four = sockaddr_in()
        four.sin_family = sa_family_t(AF_INET)
        four.sin_port = port.bigEndian
        four.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        do throws(KernelError) { return try connect(&four, AF_INET) } catch {
            var six = sockaddr_in6()
            six.sin6_family = sa_family_t(AF_INET6)
            six.sin6_port = port.bigEndian
            six.sin6_addr = in6addr_loopback
            // What the first try met is what the person should know.
            guard let socket = try? connect(&six, AF_INET6) else { throw error }
            return socket
        }
    }

    private static func connect<Address>(_ address: inout Address, _ family: Int32) throws(KernelError) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let socket = OwnedDescriptor(owning: try kernelCall("socket") { Glibc.socket(family, type, 0) })
        let raw = socket.raw
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(raw, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
        if result != 0 {
            guard Errno.current == .nowInProgress else { throw KernelError.last("connect") }
            var entry = pollfd(fd: raw, events: Int16(POLLOUT), revents: 0)
            let isReady = try kernelCall("poll") { poll(&entry, 1, patienceMilliseconds) } == 1
            guard isReady else {
                throw KernelError("connect", errno: .timedOut)
            }
            var code: Int32 = 0
            var length = socklen_t(MemoryLayout<Int32>.size)
            try kernelCall("getsockopt") { getsockopt(raw, SOL_SOCKET, SO_ERROR, &code, &length) }
            guard code == 0 else { throw KernelError("connect", errno: Errno(rawValue: code)) }
        }
        return socket.release()
    }
}
