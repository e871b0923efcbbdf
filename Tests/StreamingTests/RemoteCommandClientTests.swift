import NIOCore
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
}
