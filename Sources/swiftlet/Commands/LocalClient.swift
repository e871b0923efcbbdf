import AsyncHTTPClient
import Glibc
import KubernetesAPI
import LinuxKernel
import NIOCore
import NIOHTTP1

/// Talks to a running node over its unix socket.
struct LocalClient: Sendable {
    let run: String

    var socketPath: String { run + "/swiftlet.sock" }

    /// Whether somebody listens. The file alone proves nothing: it outlives a node that was killed.
    var isRunning: Bool {
        guard let descriptor = try? connect() else { return false }
        close(descriptor)
        return true
    }

    func requireRunning() throws { close(try connect()) }

    /// A connection to the node, which the caller closes.
    func connect() throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SettingError("no socket can be made: errno \(errno)") }
        guard let address = try? SocketAddress(unixDomainSocketPath: socketPath),
            address.withSockAddr({ Glibc.connect(descriptor, $0, socklen_t($1)) }) == 0
        else {
            close(descriptor)
            throw SettingError(
                "no node runs here: nobody listens on \(socketPath); start one with `swiftlet up`, or give --run")
        }
        return descriptor
    }

    enum Method: String { case GET, POST, DELETE }

    func json(_ method: Method = .GET, _ path: String, _ query: [(String, String)] = []) async throws -> JSONValue {
        var bytes: [UInt8] = []
        try await stream(method, path, query) { bytes.append(contentsOf: $0.readableBytesView) }
        return try JSONValue(parsing: bytes)
    }

    /// Gives the body in pieces as they arrive; an answer that is no success is thrown as its text.
    func stream(
        _ method: Method = .GET, _ path: String, _ query: [(String, String)] = [], _ body: (ByteBuffer) throws -> Void
    ) async throws {
        try requireRunning()
        let text = query.map { "\($0.0)=\(Self.encode($0.1))" }.joined(separator: "&")
        var request = HTTPClientRequest(
            url: "http+unix://\(Self.encode(socketPath))\(path)\(text.isEmpty ? "" : "?" + text)")
        request.method = .init(rawValue: method.rawValue)
        let response: HTTPClientResponse
        do { response = try await HTTPClient.shared.execute(request, timeout: .hours(24 * 365)) } catch {
            throw SettingError("the node at \(socketPath) does not answer: \(error)")
        }
        guard (200..<300).contains(response.status.code) else {
            let message = try await response.body.collect(upTo: 1 << 20)
            throw SettingError(String(buffer: message).split(separator: "\n").joined(separator: " "))
        }
        for try await piece in response.body { try body(piece) }
    }

    /// A path's segment or a query's value.
    static func encode(_ text: String) -> String {
        let hex = Array("0123456789ABCDEF")
        return text.utf8.reduce(into: "") { encoded, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                encoded.append(Character(UnicodeScalar(byte)))
            default: encoded += "%\(hex[Int(byte >> 4)])\(hex[Int(byte & 15)])"
            }
        }
    }
}
