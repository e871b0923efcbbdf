import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import Streaming

struct RemoteCommandClientTests {
    @Test(
        "a status document says how the command ended, and one that is not understood is no success",
        arguments: [
            (#"{"metadata":{},"status":"Success"}"#, RemoteCommandStatus.exited(code: 0)),
            (
                #"{"status":"Failure","reason":"NonZeroExitCode","message":"x","#
                    + #""details":{"causes":[{"reason":"Other","message":"1"},{"reason":"ExitCode","message":"137"}]}}"#,
                .exited(code: 137)
            ),
            (#"{"status":"Failure","reason":"InternalError","message":"no such file"}"#, .failed("no such file")),
            // kubelet's form of a failure whose code is not a number.
            (
                #"{"status":"Failure","reason":"NonZeroExitCode","message":"odd","#
                    + #""details":{"causes":[{"reason":"ExitCode","message":"many"}]}}"#, .failed("odd")
            ),
        ])
    func status(document: String, expected: RemoteCommandStatus) {
        #expect(RemoteCommandStatus(document: ByteBuffer(string: document)) == expected)
    }

    @Test(
        "a document that is none, or says nothing, is a failure",
        arguments: ["", "Success", "[]", "{}", "{\"status\":1}"])
    func unknown(document: String) {
        guard case .failed = RemoteCommandStatus(document: ByteBuffer(string: document)) else {
            Issue.record("taken for an end: \(document)")
            return
        }
    }

    @Test(
        "every status comes back as it was sent",
        arguments: [RemoteCommandStatus.exited(code: 0), .exited(code: 7), .failed("why")])
    func roundTrip(status: RemoteCommandStatus) {
        #expect(RemoteCommandStatus(document: status.document) == status)
    }

    @Test("the request for an upgrade is one that the server's side takes")
    func head() throws {
        let head = String(buffer: RemoteCommandClient.head("/exec/a/b/c?command=true"))
        #expect(head.hasPrefix("GET /exec/a/b/c?command=true HTTP/1.1\r\n") && head.hasSuffix("\r\n\r\n"))
        #expect(UpgradeGate.kind(ByteBuffer(string: head).readableBytesView) == .upgrade)
        #expect(head.contains("\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n"))
    }

    @Test("a terminal's size is read as it was written")
    func size() throws {
        var reader = TerminalSizeReader()
        let size = TerminalSize(width: 213, height: 57)
        #expect(try reader.append(size.document) == [size])
    }

    // MARK: Sessions with a node that is a thread

    @Test("a refusal is told in the node's words, however its bytes come")
    func refusal() async throws {
        let node = try FakeNode()
        async let served: Void = node.serve { node in
            node.readHead()
            for piece in ["HTTP/1.1 404 Not Fo", "und\r\nContent-Length: 11\r\n\r\nno such", " pod"] {
                node.write(Array(piece.utf8))
            }
        }
        let error = await #expect(throws: StreamingError.self) { try await Self.run(node) }
        #expect(error?.message == "no such pod")
        await served
    }

    @Test("a node that goes away before the end is told", arguments: ["", FakeNode.accepted])
    func ended(answer: String) async throws {
        let node = try FakeNode()
        async let served: Void = node.serve { node in
            node.readHead()
            node.write(Array(answer.utf8))
        }
        let error = await #expect(throws: StreamingError.self) { try await Self.run(node) }
        #expect(error?.message == "the node ended the session")
        await served
    }

    @Test("input goes on while nobody reads the output, all of both arrives, and then the end", .timeLimit(.minutes(5)))
    func bothWays() async throws {
        // More output than a pipe holds, and no more than that and the socket.
        let (inputSize, outputSize) = (1 << 20, 128 << 10)
        let node = try FakeNode()
        let (input, output) = (try PipePair(), try PipePair())
        async let served: Int = node.serve { node in
            node.readHead()
            node.write(Array(FakeNode.accepted.utf8))
            let block = [UInt8](repeating: 7, count: 1 << 14)
            for _ in 0..<outputSize / block.count { node.send(.standardOutput, block) }
            let received = node.readInput()
            node.send(.error, Array(RemoteCommandStatus.exited(code: 3).document.readableBytesView))
            return received
        }
        async let given: Void = threads.runIfActive {
            FakeNode.write([UInt8](repeating: 1, count: inputSize), to: input.writing)
            close(input.writing)
        }
        async let ended = Self.run(node, input: input.reading, output: output.writing)
        // The node has all of the input before the first byte of the output is read.
        #expect(await served == inputSize)
        try await given
        let read = try await threads.runIfActive { FakeNode.readAll(output.reading) }
        #expect(try await ended == .exited(code: 3))
        #expect(read == outputSize)
        close(input.reading)
        close(output.reading)
    }

    /// On a thread that may wait; closes the output at the end.
    private static func run(
        _ node: FakeNode, input: Int32 = -1, output: Int32 = -1
    ) async throws -> RemoteCommandStatus {
        try await threads.runIfActive {
            defer { close(output) }
            var client = RemoteCommandClient(socket: node.client, input: input, output: output, error: output)
            return try client.run("/exec/a/b")
        }
    }
}

/// Enough for everybody who waits at once.
private let threads: NIOThreadPool = {
    let pool = NIOThreadPool(numberOfThreads: 8)
    pool.start()
    return pool
}()

private struct PipePair {
    let reading: Int32
    let writing: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        (reading, writing) = (ends[0], ends[1])
    }
}

/// The other side of a session, written down by hand: frames as RFC 6455 has them.
private final class FakeNode: Sendable {
    static let accepted = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"

    let client: Int32
    private let socket: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
        (client, socket) = (ends[0], ends[1])
    }

    deinit { close(client) }

    /// On a thread of its own; hangs up at the end.
    func serve<Result: Sendable>(_ body: @escaping @Sendable (FakeNode) -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            threads.submit { _ in
                let result = body(self)
                shutdown(self.socket, Int32(SHUT_RDWR))
                close(self.socket)
                continuation.resume(returning: result)
            }
        }
    }

    func readHead() {
        var (seen, byte) = ([UInt8](), UInt8(0))
        while !seen.suffix(4).elementsEqual(Array("\r\n\r\n".utf8)), read(socket, &byte, 1) == 1 { seen.append(byte) }
    }

    func write(_ bytes: [UInt8]) { Self.write(bytes, to: socket) }

    func send(_ channel: RemoteCommandChannel, _ bytes: [UInt8]) {
        let count = bytes.count + 1
        var frame: [UInt8] = [0x82]
        if count < 126 { frame.append(UInt8(count)) } else { frame += [126, UInt8(count >> 8), UInt8(count & 255)] }
        write(frame + [channel.rawValue] + bytes)
    }

    /// Bytes of input until its end is told; -1 when something else comes.
    func readInput() -> Int {
        var sum = 0
        while true {
            guard let head = take(2), head[0] == 0x82, head[1] & 0x80 != 0 else { return -1 }
            var count = Int(head[1] & 0x7f)
            if count == 126, let long = take(2) { count = Int(long[0]) << 8 | Int(long[1]) }
            guard let mask = take(4), let masked = take(count), let first = masked.first else { return -1 }
            switch first ^ mask[0] {
            case RemoteCommandChannel.standardInput.rawValue: sum += count - 1
            case RemoteCommandChannel.closeNumber: return sum
            default: return -1
            }
        }
    }

    private func take(_ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return recv(socket, &bytes, count, Int32(MSG_WAITALL)) == count ? bytes : nil
    }

    static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    static func readAll(_ descriptor: Int32) -> Int {
        var (sum, bytes) = (0, [UInt8](repeating: 0, count: 1 << 16))
        while true {
            let count = read(descriptor, &bytes, bytes.count)
            guard count > 0 else { return sum }
            sum += count
        }
    }
}
