import LinuxKernel
import Testing

@Suite("Owned descriptor")
struct OwnedDescriptorTests {
    @Test(
        "a file holds what was written and nothing shorter, longer or else, also beyond what one call reads",
        arguments: [0, 1, 100, 16383, 16384, 16385, 40000])
    func holds(size: Int) throws {
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        #expect(try Self.file(of: bytes, holds: bytes))
        #expect(try !Self.file(of: bytes, holds: bytes + [1]))
        #expect(try !Self.file(of: bytes + [1], holds: bytes))
        guard size > 0 else { return }
        var other = bytes
        other[size - 1] ^= 1
        #expect(try !Self.file(of: bytes, holds: other))
        #expect(try !Self.file(of: bytes, holds: []))
    }

    private static func file(of content: [UInt8], holds bytes: [UInt8]) throws -> Bool {
        try OwnedDescriptor.sealedMemory(name: "content", content).fileHolds(bytes)
    }
}
