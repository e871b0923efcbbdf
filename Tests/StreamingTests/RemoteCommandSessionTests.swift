import NIOCore
import Testing

@testable import Streaming

struct RemoteCommandSessionTests {
    private let request = RemoteCommandRequest(command: ["true"], hasInput: true, hasOutput: true, hasError: true)

    private func open(_ kinds: [String], _ client: SPDYFrameCodec) -> ByteBuffer {
        var bytes = ByteBuffer()
        for (index, kind) in kinds.enumerated() {
            var frame = client.encode(
                .openStream(
                    id: UInt32(index * 2 + 1), headers: [SPDYHeader(name: "streamtype", value: kind)], isLast: false))
            bytes.writeBuffer(&frame)
        }
        return bytes
    }

    private func text(_ buffers: [ByteBuffer]) -> String { buffers.map { String(buffer: $0) }.joined() }

    @Test("over SPDY a command starts once all its streams are open, and has its input and half-close")
    func input() throws {
        let client = try SPDYFrameCodec()
        var session = try RemoteCommandSession(request, version: .spdy4)
        let first = try session.receive(open(["error", "stdin", "stdout"], client))
        #expect(first.events.isEmpty && first.reply.count >= 3)
        var last = client.encode(
            .openStream(id: 7, headers: [SPDYHeader(name: "streamtype", value: "stderr")], isLast: false))
        var data = client.encode(.data(id: 3, ByteBuffer(string: "in"), isLast: true))
        last.writeBuffer(&data)
        let second = try session.receive(last)
        #expect(second.events == [.ready, .input(ByteBuffer(string: "in")), .inputClosed])
    }

    @Test("the status comes last, with the exit code as its cause")
    func status() throws {
        let client = try SPDYFrameCodec()
        var session = try RemoteCommandSession(request, version: .spdy4)
        _ = try session.receive(open(["error", "stdin", "stdout", "stderr"], client))
        var codec = try SPDYFrameCodec()
        for bytes in session.finish(.exited(code: 7)) { codec.append(bytes) }
        var frames: [SPDYFrame] = []
        while let frame = try codec.next() { frames.append(frame) }
        guard frames.count == 4, case .data(let id, let document, let isLast) = frames[2] else {
            Issue.record("not two ends, a status and a GOAWAY: \(frames)")
            return
        }
        #expect(frames[0] == .data(id: 5, ByteBuffer(), isLast: true))
        #expect(frames[1] == .data(id: 7, ByteBuffer(), isLast: true))
        let json = String(buffer: document)
        #expect(id == 1 && isLast && json.contains("\"NonZeroExitCode\"") && json.contains("\"message\":\"7\""))
        #expect(session.send(ByteBuffer(string: "late"), on: .standardOutput) == nil)
    }

    @Test("a stream that the request did not name, or a second one of a kind, ends the session")
    func unexpected() throws {
        for kinds in [["error", "resize"], ["error", "error"], ["cookie"]] {
            var session = try RemoteCommandSession(request, version: .spdy4)
            let bytes = open(kinds, try SPDYFrameCodec())
            #expect(throws: StreamingError.self) { _ = try session.receive(bytes) }
        }
    }

    @Test("over WebSocket the first byte is the channel, and version 5 closes the input")
    func webSocket() throws {
        var session = try RemoteCommandSession(request, version: .webSocket5)
        let begin = session.begin()
        #expect(begin.events == [.ready] && begin.reply == [ByteBuffer(bytes: [1])])
        #expect(try session.receive(ByteBuffer(bytes: [0, 104, 105])).events == [.input(ByteBuffer(string: "hi"))])
        #expect(try session.receive(ByteBuffer(bytes: [255, 0])).events == [.inputClosed])
        #expect(try session.receive(ByteBuffer(bytes: [0, 104])).events.isEmpty)
        #expect(session.send(ByteBuffer(string: "e"), on: .standardError) == ByteBuffer(bytes: [2, 101]))
        #expect(text(session.finish(.exited(code: 0))) == "\u{3}{\"metadata\":{},\"status\":\"Success\"}")
    }

    @Test("version 4 knows no close: its number is no channel")
    func fourthVersion() throws {
        var session = try RemoteCommandSession(request, version: .webSocket4)
        _ = session.begin()
        #expect(throws: StreamingError.self) { _ = try session.receive(ByteBuffer(bytes: [255, 0])) }
    }

    @Test("sizes of a terminal arrive in any cut, and nonsense ends the session")
    func resize() throws {
        let terminal = RemoteCommandRequest(command: ["sh"], hasInput: true, hasOutput: true, isTerminal: true)
        var session = try RemoteCommandSession(terminal, version: .webSocket5)
        _ = session.begin()
        #expect(try session.receive(ByteBuffer(string: "\u{4}{\"Width\":80,")).events.isEmpty)
        #expect(
            try session.receive(ByteBuffer(string: "\u{4}\"Height\":24}\n{\"Width\":1,\"Height\":2}")).events
                == [.resize(TerminalSize(width: 80, height: 24)), .resize(TerminalSize(width: 1, height: 2))])
        for text in [
            "{\"Width\":-1,\"Height\":2}", "{\"Width\":70000,\"Height\":2}", String(repeating: " ", count: 2000),
        ] {
            var session = try RemoteCommandSession(terminal, version: .webSocket5)
            #expect(throws: StreamingError.self) { _ = try session.receive(ByteBuffer(string: "\u{4}" + text)) }
        }
    }

    @Test("the best protocol that a client offers is taken")
    func negotiation() {
        let offered = ["channel.k8s.io", "v4.channel.k8s.io", "v5.channel.k8s.io"]
        #expect(RemoteCommandProtocol.choose(offered: offered, isWebSocket: true) == .webSocket5)
        #expect(RemoteCommandProtocol.choose(offered: offered, isWebSocket: false) == .spdy4)
        #expect(RemoteCommandProtocol.choose(offered: ["v9.channel.k8s.io"], isWebSocket: false) == nil)
    }

    @Test("a request that wants no stream at all is refused; a terminal has one output")
    func wanted() throws {
        #expect(throws: StreamingError.self) { try RemoteCommandRequest(query: [("command", "ls")]) }
        let request = try RemoteCommandRequest(query: [
            ("command", "a"), ("command", "b"), ("stdout", "1"), ("stderr", "1"), ("tty", "1"),
        ])
        #expect(request.command == ["a", "b"] && request.isTerminal && !request.hasError)
    }
}
