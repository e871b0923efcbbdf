import Glibc
import LinuxKernel
import NIOCore
import SystemPackage

/// Tries the ports a node is going to serve, before anything of it has been started: what has then to be ended half-way.
enum ListenCheck {
    static func run(_ address: String, _ port: Int, flag: String) throws {
        guard port != 0 else { return }
        do { try bind(address, port) } catch let error as KernelError {
            let fix =
                error.errno == .addressInUse
                ? "another program listens there: stop it, or choose another with \(flag)"
                : "choose another with \(flag)"
            throw SettingError("\(address):\(port) cannot be listened on: \(error.errno); \(fix)")
        }
    }

    private static func bind(_ address: String, _ port: Int) throws {
        let address = try SocketAddress(ipAddress: address, port: port)
        let family = address.protocol == .inet6 ? AF_INET6 : AF_INET
        let socket = OwnedDescriptor(
            owning: try kernelCall("socket") {
                Glibc.socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            })
        let descriptor = socket.raw
        var reuse: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        let bound: Result<Void, KernelError> = address.withSockAddr { pointer, length in
            do throws(KernelError) {
                try kernelCall("bind") { Glibc.bind(descriptor, pointer, socklen_t(length)) }
                // Bound is not yet taken: of two that may reuse the address, the second to listen fails.
                try kernelCall("listen") { Glibc.listen(descriptor, 1) }
                return .success(())
            } catch { return .failure(error) }
        }
        try bound.get()
    }
}
