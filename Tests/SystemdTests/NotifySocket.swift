import Glibc
import Testing

/// The service manager's side of the notification protocol: a datagram socket that ``NOTIFY_SOCKET`` names, in a
/// directory of its own. `NOTIFY_SOCKET` belongs to the process, so suites that use this one are serialized under
/// ``SystemdEnvironment``.
final class NotifySocket {
    private let directory: String
    private let descriptor: Int32

    init() throws {
        var template = Array("/tmp/swiftlet-notify-XXXXXX".utf8CString)
        directory = try #require(mkdtemp(&template).map { String(cString: $0) })
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        try #require(descriptor >= 0)
        let path = directory + "/notify"
        try #require(bindUnix(descriptor, path) == 0)
        setenv("NOTIFY_SOCKET", path, 1)
    }

    deinit {
        unsetenv("NOTIFY_SOCKET")
        close(descriptor)
        unlink(directory + "/notify")
        rmdir(directory)
    }

    /// The next datagram that has arrived already; `nil` when there is none. A local datagram has arrived when its send
    /// returns.
    func receive() -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }
}

/// bind(2) to a path.
func bindUnix(_ descriptor: Int32, _ path: String) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
}
