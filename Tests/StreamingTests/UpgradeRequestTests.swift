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
        #expect(answer.forwardedHeaders.map(\.name) == ["Upgrade"])
    }

    @Test("an answer without end is refused")
    func endless() throws {
        var answer = UpgradeAnswer(limit: 100)
        #expect(throws: StreamingError.self) { try answer.append(ByteBuffer(repeating: 65, count: 200)) }
    }
}
