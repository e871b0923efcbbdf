import CLinux
import Glibc
import LinuxKernel

/// Asks a node over its unix socket, which answers as soon as the agent stands, whatever its endpoint does.
struct LocalSocket: Sendable {
    let path: String

    /// The body of the answer. Throws unless that is 200; a node that does not listen is a `KernelError`.
    func get(_ target: String) async throws -> [UInt8] {
        let path = path
        let answer = try await KernelThreadPool.shared.run { () throws(KernelError) -> [UInt8] in
            try Self.exchange(path, "GET \(target) HTTP/1.1\r\nHost: swiftlet\r\nConnection: close\r\n\r\n")
        }
        let end: [UInt8] = Array("\r\n\r\n".utf8)
        guard answer.starts(with: Array("HTTP/1.1 200 ".utf8)), let head = answer.firstRange(of: end) else {
            throw BenchmarkError("\(path)\(target) answered \(String(decoding: answer.prefix(200), as: UTF8.self))")
        }
        return Array(answer[head.upperBound...])
    }

    private static func exchange(_ path: String, _ request: String) throws(KernelError) -> [UInt8] {
        let descriptor = OwnedDescriptor(
            owning: try kernelCall("socket") { socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0) }
        )
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        try kernelCall("setsockopt") {
            setsockopt(descriptor.raw, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor.raw, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard code == 0 else { throw KernelError.last("connect", path) }
        let bytes = Array(request.utf8)
        try kernelCall("send", path) { send(descriptor.raw, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }
        return try descriptor.readAll(limit: 64 << 20)
    }
}
