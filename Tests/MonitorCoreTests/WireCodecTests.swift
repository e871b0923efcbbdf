import Testing

@testable import MonitorCore

@Suite("Bytes between agent and monitor")
struct WireCodecTests {
    @Test("integers are little endian and come back", arguments: [0, 1, 0x0102_0304, UInt32.max])
    func integers(value: UInt32) throws {
        var writer = WireWriter()
        writer.write(value)
        writer.write(UInt64(value) << 32 | 7)
        writer.write(Int32(bitPattern: value))
        writer.write(Int64(-1) - Int64(value))
        #expect(writer.bytes[0] == UInt8(truncatingIfNeeded: value))
        #expect(writer.bytes[3] == UInt8(value >> 24))
        var reader = WireReader(writer.bytes)
        let read = (
            try reader.readUInt32(), try reader.readUInt64(), try reader.readInt32(), try reader.readInt64()
        )
        #expect(read.0 == value)
        #expect(read.1 == UInt64(value) << 32 | 7)
        #expect(read.2 == Int32(bitPattern: value))
        #expect(read.3 == -1 - Int64(value))
        try reader.finish()
    }

    @Test("a count larger than what is left is refused before anything is allocated", arguments: [1, 4, UInt32.max])
    func oversizeCounts(excess: UInt32) {
        var writer = WireWriter()
        writer.write(excess)
        let bytes = writer.bytes
        let tooLong = WireError(.tooLong, offset: 4)
        #expect(throws: tooLong) { try Self.read(bytes) { reader throws(WireError) in _ = try reader.readBytes() } }
        #expect(throws: tooLong) { try Self.read(bytes) { reader throws(WireError) in _ = try reader.readCString() } }
        #expect(throws: tooLong) { try Self.read(bytes) { reader throws(WireError) in _ = try reader.readCStrings() } }
        #expect(throws: tooLong) { try Self.read(bytes) { reader throws(WireError) in _ = try reader.readUInt32s() } }
    }

    @Test("a NUL inside a string is an error, as it would cut the string short")
    func interiorNUL() {
        var writer = WireWriter()
        writer.write([0x61, 0, 0x62] as [UInt8])
        let bytes = writer.bytes
        #expect(throws: WireError(.interiorNUL, offset: 0)) {
            try Self.read(bytes) { reader throws(WireError) in _ = try reader.readCString() }
        }
        #expect(CString([0x61, 0]) == nil)
        #expect(CString([0x61])?.bytes == [0x61, 0])
    }

    @Test("bytes after a complete message are an error")
    func trailing() {
        #expect(throws: WireError(.trailingBytes, offset: 1)) {
            try Self.read([1, 2]) { reader throws(WireError) in
                _ = try reader.readByte()
                try reader.finish()
            }
        }
    }

    private static func read(
        _ bytes: [UInt8], _ body: (inout WireReader) throws(WireError) -> Void
    ) throws(WireError) {
        var reader = WireReader(bytes)
        try body(&reader)
    }
}
