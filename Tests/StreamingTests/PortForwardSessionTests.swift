import NIOCore
import Testing

@testable import Streaming

struct PortForwardSessionTests {
    private func open(_ id: UInt32, _ kind: String, port: String, request: String, _ client: SPDYFrameCodec)
        -> ByteBuffer
    {
        client.encode(
            .openStream(
                id: id,
                headers: [
                    SPDYHeader(name: "streamtype", value: kind), SPDYHeader(name: "port", value: port),
                    SPDYHeader(name: "requestid", value: request),
                ], isLast: kind == "error"))
    }

    private func frames(_ bytes: ByteBuffer) throws -> [SPDYFrame] {
        var codec = try SPDYFrameCodec()
        codec.append(bytes)
        var frames: [SPDYFrame] = []
        while let frame = try codec.next() { frames.append(frame) }
        return frames
    }

    @Test("a pair of streams is one connection, in either order, and early data is not lost")
    func pairs() throws {
        let client = try SPDYFrameCodec()
        var session = try PortForwardSession()
        #expect(try session.receive(open(1, "error", port: "80", request: "0", client)).events.isEmpty)
        #expect(
            try session.receive(open(3, "data", port: "80", request: "0", client)).events == [.connect(3, port: 80)])
        _ = try session.receive(open(5, "data", port: "81", request: "1", client))
        _ = try session.receive(client.encode(.data(id: 5, ByteBuffer(string: "early"), isLast: true)))
        #expect(
            try session.receive(open(7, "error", port: "81", request: "1", client)).events == [
                .connect(5, port: 81), .data(5, ByteBuffer(string: "early")), .inputClosed(5),
            ])
    }

    @Test("a port that is none is refused", arguments: ["0", "65536", "-1", "", "http"])
    func badPort(port: String) throws {
        var session = try PortForwardSession()
        let answer = try session.receive(open(1, "data", port: port, request: "0", try SPDYFrameCodec()))
        #expect(answer.events.isEmpty)
        #expect(try frames(answer.reply) == [.reset(id: 1, status: SPDYResetStatus.protocolError)])
    }

    @Test("why a connection failed is on its error stream, before its data ends")
    func failure() throws {
        let client = try SPDYFrameCodec()
        var session = try PortForwardSession()
        _ = try session.receive(open(1, "error", port: "80", request: "0", client))
        _ = try session.receive(open(3, "data", port: "80", request: "0", client))
        #expect(
            try frames(session.finish(3, failure: "refused")) == [
                .data(id: 1, ByteBuffer(string: "refused"), isLast: true), .data(id: 3, ByteBuffer(), isLast: true),
            ])
        #expect(session.finish(3).readableBytes == 0)
    }

    @Test("streams beyond the limit are refused, and half pairs keep a bounded amount")
    func limits() throws {
        let client = try SPDYFrameCodec()
        var session = try PortForwardSession()
        let limit = PortForwardSession.connectionLimit * 2
        for index in 0..<limit {
            _ = try session.receive(open(UInt32(index * 2 + 1), "data", port: "80", request: "\(index)", client))
        }
        let answer = try session.receive(open(UInt32(limit * 2 + 1), "data", port: "80", request: "x", client))
        #expect(try frames(answer.reply) == [.reset(id: UInt32(limit * 2 + 1), status: SPDYResetStatus.refusedStream)])
        let flood = client.encode(.data(id: 1, ByteBuffer(repeating: 0, count: 65 << 10), isLast: false))
        #expect(
            try frames(session.receive(flood).reply) == [.reset(id: 1, status: SPDYResetStatus.cancel)])
    }
}
