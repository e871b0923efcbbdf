import Testing

@testable import MonitorCore

@Suite("Messages between agent and monitor")
struct MonitorMessageTests {
    @Test("a request comes back as it was; cut short or too long it is an error", arguments: Samples.requests)
    func request(request: MonitorRequest) throws {
        let bytes = request.encoded()
        #expect(try MonitorRequest(decoding: bytes) == request)
        for length in bytes.indices {
            #expect(throws: WireError(.truncated, offset: length)) {
                try MonitorRequest(decoding: Array(bytes[..<length]))
            }
        }
        #expect(throws: WireError(.trailingBytes, offset: bytes.count)) {
            try MonitorRequest(decoding: bytes + [0])
        }
    }

    @Test("an event comes back as it was; cut short or too long it is an error", arguments: Samples.events)
    func event(event: MonitorEvent) throws {
        let bytes = event.encoded()
        #expect(try MonitorEvent(decoding: bytes) == event)
        for length in bytes.indices {
            #expect(throws: WireError(.truncated, offset: length)) {
                try MonitorEvent(decoding: Array(bytes[..<length]))
            }
        }
        #expect(throws: WireError(.trailingBytes, offset: bytes.count)) { try MonitorEvent(decoding: bytes + [0]) }
    }

    @Test("an unknown message is refused", arguments: [0, 9, 255] as [UInt8])
    func unknown(tag: UInt8) {
        #expect(throws: WireError(.unknownTag, offset: 0)) { try MonitorRequest(decoding: [tag]) }
        #expect(throws: WireError(.unknownTag, offset: 0)) { try MonitorEvent(decoding: [tag]) }
    }
}
