import Testing

@testable import Volumes

/// Bytes worked out by hand from the encoding's specification.
struct ProtobufMessageTests {
    @Test("texts, numbers, messages and maps are encoded as protobuf says; what is zero is left out")
    func encoding() {
        var message = ProtobufMessage()
        message.add(1, "hi")
        message.add(2, UInt64(300))
        message.add(3, true)
        message.add(4, "")
        message.add(5, false)
        message.add(6, ProtobufMessage())
        message.add(7, ["b": "2", "a": "1"])
        #expect(
            message.bytes == [
                0x0A, 2, 0x68, 0x69, 0x10, 0xAC, 0x02, 0x18, 1, 0x32, 0, 0x3A, 6, 0x0A, 1, 0x61, 0x12, 1, 0x31, 0x3A, 6,
                0x0A, 1, 0x62, 0x12, 1, 0x32,
            ])
    }

    @Test("the last of a field counts, unknown ones are passed over, fixed widths included")
    func decoding() throws {
        let bytes: [UInt8] = [
            0x08, 1, 0x08, 0x96, 0x01, 0x12, 1, 0x78, 0x12, 1, 0x79, 0x19, 0, 0, 0, 0, 0, 0, 0, 0, 0x25, 0, 0, 0, 0,
            0x2A, 2, 0x08, 5,
        ]
        let fields = try #require(ProtobufFields(bytes))
        #expect(fields.number(1) == 150)
        #expect(fields.text(2) == "y")
        #expect(fields.texts(2) == ["x", "y"])
        #expect(fields.messages(5).map { $0.number(1) } == [5])
        #expect(fields.number(9) == 0)
        #expect(fields.text(9).isEmpty)
    }

    @Test(
        "bytes that are no message are none",
        arguments: [
            [0x08], [0x08, 0x80], [0x12, 5, 0x61], [0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
            [0x19, 0], [0x25, 0, 0], [0x0B], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
        ] as [[UInt8]])
    func broken(bytes: [UInt8]) {
        #expect(ProtobufFields(bytes) == nil)
    }
}
