import NIOCore
import Testing

@testable import Streaming

struct SPDYFrameCodecTests {
    private func frames(_ bytes: [UInt8], cut: Int) throws -> [SPDYFrame] {
        var codec = try SPDYFrameCodec()
        var frames: [SPDYFrame] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            codec.append(ByteBuffer(bytes: rest.prefix(cut)))
            rest = rest.dropFirst(cut)
            while let frame = try codec.next() { frames.append(frame) }
        }
        return frames
    }

    @Test("the dictionary is the one of the specification")
    func dictionary() {
        var (low, high) = (UInt32(1), UInt32(0))
        for byte in SPDYDictionary.bytes {
            low = (low + UInt32(byte)) % 65521
            high = (high + low) % 65521
        }
        #expect(SPDYDictionary.bytes.count == 1423)
        #expect(high << 16 | low == 0xE3C6_A7C2)
    }

    @Test("a ping has the bytes of the specification")
    func ping() throws {
        let bytes: [UInt8] = [0x80, 3, 0, 6, 0, 0, 0, 4, 0, 0, 0, 7]
        #expect(Array(try SPDYFrameCodec().encode(.ping(id: 7)).readableBytesView) == bytes)
        #expect(try frames(bytes, cut: 12) == [.ping(id: 7)])
    }

    @Test("a data frame has the bytes of the specification")
    func data() throws {
        let bytes: [UInt8] = [0, 0, 0, 5, 1, 0, 0, 2, 0x68, 0x69]
        #expect(
            Array(try SPDYFrameCodec().encode(.data(id: 5, ByteBuffer(string: "hi"), isLast: true)).readableBytesView)
                == bytes)
        #expect(try frames(bytes, cut: 10) == [.data(id: 5, ByteBuffer(string: "hi"), isLast: true)])
    }

    @Test("what one side compresses the other reads, block after block, in any cut", arguments: [1, 3, 7, 1000])
    func headers(cut: Int) throws {
        let sender = try SPDYFrameCodec()
        let sent: [SPDYFrame] = [
            .openStream(id: 1, headers: [SPDYHeader(name: "streamtype", value: "error")], isLast: false),
            .openStream(
                id: 3,
                headers: [SPDYHeader(name: "streamtype", value: "data"), SPDYHeader(name: "port", value: "8080")],
                isLast: true),
            .reply(id: 1, headers: [], isLast: false), .reset(id: 3, status: 5), .goAway(lastStream: 3),
        ]
        let bytes = sent.flatMap { Array(sender.encode($0).readableBytesView) }
        #expect(try frames(bytes, cut: cut) == sent)
    }

    @Test("a control frame beyond the limit, or of another version, ends the connection")
    func refused() throws {
        #expect(throws: StreamingError.self) { try self.frames([0x80, 3, 0, 1, 0, 2, 0, 0], cut: 8) }
        #expect(throws: StreamingError.self) { try self.frames([0x80, 2, 0, 6, 0, 0, 0, 4, 0, 0, 0, 1], cut: 12) }
    }

    @Test("a header block that grows without end is refused")
    func bomb() throws {
        let value = String(repeating: "a", count: SPDYHeaderInflater.blockLimit + 1)
        let block = SPDYFrame.openStream(id: 1, headers: [SPDYHeader(name: "x", value: value)], isLast: false)
        let bytes = Array(try SPDYFrameCodec().encode(block).readableBytesView)
        #expect(bytes.count < 4096)
        #expect(throws: StreamingError.self) { try self.frames(bytes, cut: bytes.count) }
    }

    @Test("no bytes make the decoder trap or keep more than a frame", arguments: 0..<8)
    func hostile(seed: UInt64) throws {
        var random = SeededBytes(seed: seed)
        let sender = try SPDYFrameCodec()
        let valid = [
            SPDYFrame.openStream(id: 1, headers: [SPDYHeader(name: "streamtype", value: "data")], isLast: false),
            .data(id: 1, ByteBuffer(string: "some data"), isLast: false), .ping(id: 1), .reset(id: 1, status: 1),
        ].flatMap { Array(sender.encode($0).readableBytesView) }
        for _ in 0..<300 {
            var bytes = valid
            for _ in 0..<Int(random.next() % 8) + 1 {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            var connection = try SPDYConnection(streamLimit: 4)
            do {
                _ = try connection.receive(ByteBuffer(bytes: bytes))
                _ = try connection.receive(ByteBuffer(bytes: random.bytes(64)))
            } catch {}
            #expect(connection.openStreams <= 4)
        }
    }
}

/// Bytes that are the same for a seed in every run (xorshift).
struct SeededBytes: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}
