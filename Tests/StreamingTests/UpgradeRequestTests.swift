import NIOCore
import NIOHTTP1
import Testing

@testable import Streaming

struct UpgradeRequestTests {
    @Test("a head is looked at only when it is whole, and only our protocols count")
    func gate() {
        func kind(_ text: String) -> UpgradeGate.Kind? { UpgradeGate.kind(ByteBuffer(string: text).readableBytesView) }
        #expect(kind("POST /exec HTTP/1.1\r\nUpgrade: SPDY/3.1\r\n") == nil)
        #expect(kind("POST /exec HTTP/1.1\r\nUpgrade: SPDY/3.1\r\n\r\n") == .upgrade)
        #expect(kind("GET / HTTP/1.1\r\nupgrade: WebSocket\r\nA: b\r\n\r\n") == .upgrade)
        #expect(kind("GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n") == .ordinary)
        #expect(kind("GET /?Upgrade:websocket HTTP/1.1\r\n\r\n") == .ordinary)
        #expect(kind("A: " + String(repeating: "a", count: UpgradeGate.headLimit) + "\r\n") == .ordinary)
    }

    @Test(
        "a path that plays tricks has no segments",
        arguments: ["/exec/../pods", "/exec//pod", "/exec/a%2Fb", "/exec/%zz"])
    func tricks(path: String) {
        #expect(UpgradeRequest(method: "GET", target: path, headers: [:]).pathSegments == nil)
    }

    @Test("path and query are decoded")
    func decoded() {
        let request = UpgradeRequest(method: "GET", target: "/exec/a/b/c?command=echo+a%26b&tty=1", headers: [:])
        #expect(request.pathSegments == ["exec", "a", "b", "c"])
        #expect(request.query.map(\.name) == ["command", "tty"] && request.query[0].value == "echo a&b")
    }

    @Test("an answer is read in any cut, and what follows it is kept", arguments: [1, 5, 1000])
    func answer(cut: Int) throws {
        let text = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: SPDY/3.1\r\nSet-Cookie: x\r\n\r\nrest"
        var answer = UpgradeAnswer(limit: 1024)
        var bytes = Array(text.utf8)[...]
        while !answer.isWhole {
            try answer.append(ByteBuffer(bytes: bytes.prefix(cut)))
            bytes = bytes.dropFirst(cut)
        }
        answer.appendRest(ByteBuffer(bytes: bytes))
        #expect(answer.status == 101 && String(buffer: answer.rest) == "rest")
        let passed = answer.bytes { HTTPHeaders($0.filter { $0.name == "Upgrade" }) }
        #expect(
            String(buffer: passed) == "HTTP/1.1 101 Switching Protocols\r\nUpgrade: SPDY/3.1\r\n\r\nrest")
    }

    @Test("an interim answer is left behind, and a refusal says that the connection ends with it")
    func refusal() throws {
        var answer = UpgradeAnswer(limit: 1024)
        try answer.append(
            ByteBuffer(
                string: "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 404 Not Found\r\nUpgrade: x\r\n"
                    + "Connection: keep-alive\r\nContent-Length: 4\r\n\r\ngo"))
        #expect(answer.isWhole && !answer.isFinal && answer.status == 103)
        try answer.goOn()
        #expect(answer.isFinal && answer.bodyLength == 4)
        let text = "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nConnection: close\r\n\r\ngo"
        #expect(String(buffer: answer.bytes { $0 }) == text)
        try answer.goOn()
        #expect(!answer.isWhole)
    }

    @Test(
        "a body ends where the answer says",
        arguments: [
            ("204 No Content\r\nContent-Length: 3", 0), ("304 Not Modified", 0), ("400 Bad Request", nil),
            ("400 Bad Request\r\nTransfer-Encoding: chunked\r\nContent-Length: 3", nil),
            ("400 Bad Request\r\nContent-Length: 3", 3), ("400 Bad Request\r\nContent-Length: -3", 0),
        ])
    func bodies(text: String, length: Int?) throws {
        var answer = UpgradeAnswer(limit: 1024)
        try answer.append(ByteBuffer(string: "HTTP/1.1 \(text)\r\n\r\n"))
        #expect(answer.bodyLength == length)
    }

    @Test("no header that breaks its line is passed on")
    func lineBreaks() {
        var bytes = ByteBuffer()
        bytes.writeHeaders(["A": "b", "C": "d\nE: f", "G": "h\r"])
        #expect(String(buffer: bytes) == "A: b\r\n\r\n")
    }

    @Test("an answer without end is refused")
    func endless() throws {
        var answer = UpgradeAnswer(limit: 100)
        #expect(throws: StreamingError.self) { try answer.append(ByteBuffer(repeating: 65, count: 200)) }
    }
}
