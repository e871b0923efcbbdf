import CLinux
import Glibc
import LinuxKernel
import Synchronization

/// Answers HTTP probes, each path's by turns with 200 and 503, and notes when.
final class ProbedServer: Sendable {
    struct Answer: Sendable {
        /// Nanoseconds since the epoch, ahead of the answer's first byte.
        let time: Int64
        let isReady: Bool
    }

    let port: UInt16
    private let socket: LoopbackSocket
    private let loop: EpollLoop
    private let answersByPath: Answers

    /// Shared with the loop's handler, which must not hold the server itself.
    private final class Answers: Sendable {
        let values = Mutex<[String: [Answer]]>([:])
    }

    init() throws(KernelError) {
        let socket = try LoopbackSocket()
        let (listener, answers) = (socket.descriptor.raw, Answers())
        try kernelCall("listen", "127.0.0.1:\(socket.port)") { listen(listener, 128) }
        loop = try EpollLoop(name: "probed")
        _ = try loop.add(descriptor: listener, events: EpollEvents.readable) { _ in Self.answer(listener, answers) }
        port = socket.port
        self.socket = socket
        answersByPath = answers
    }

    /// Before the listener is closed.
    deinit { loop.stop() }

    func answers(_ path: String) -> [Answer] { answersByPath.values.withLock { $0[path] ?? [] } }

    /// Serves one connection to its end, on the loop's thread: a prober sends its request as soon as it is connected.
    private static func answer(_ listener: Int32, _ answers: Answers) {
        let raw = CLinux_accept(listener)
        guard raw >= 0 else { return }
        let connection = OwnedDescriptor(owning: raw)
        var patience = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(connection.raw, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var request = [UInt8](repeating: 0, count: 4096)
        let count = recv(connection.raw, &request, request.count, 0)
        guard count > 0 else { return }
        let fields = String(decoding: request[..<count], as: UTF8.self).split(separator: " ", maxSplits: 2)
        guard fields.count > 2 else { return }
        let path = String(fields[1])
        let isReady = answers.values.withLock { values in
            let isReady = values[path]?.last?.isReady != true
            values[path, default: []].append(Answer(time: ResourceUsage.wallNanoseconds, isReady: isReady))
            return isReady
        }
        let status = isReady ? "200 OK" : "503 Service Unavailable"
        let bytes = Array("HTTP/1.1 \(status)\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".utf8)
        _ = send(connection.raw, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }
}
