import LinuxKernel
import Testing

@testable import ContainerImages

@Suite("ContentStore")
struct ContentStoreTests {
    @Test("a blob is named by its content, verified when written and when read")
    func verifies() async throws {
        try await StoreFixture.run { (store) async throws in
            let content = ContentStore(root: store.root)
            let bytes = [UInt8](repeating: 7, count: 200_000)
            let digest = try content.write(bytes)
            #expect(digest == ContentDigest(of: bytes))
            #expect(try content.read(digest) == bytes)
            #expect(try content.list() == [digest])
            let wrong = #expect(throws: ImageError.self) { try content.write([1], expecting: digest) }
            #expect(wrong?.code == .digestMismatch)
            #expect(try FileSystem.list(store.root + "/blobs/sha256") == [digest.hexadecimal])
            try FileSystem.writeAtomically("\(store.root)/blobs/sha256/\(digest.hexadecimal)", [8], durable: false)
            #expect(throws: ImageError.self) { try content.read(digest) }
            try content.remove(digest)
            try content.remove(digest)
            let missing = #expect(throws: ImageError.self) { try content.read(digest) }
            #expect(missing?.code == .notFound)
        }
    }

    @Test("only sha256 with 64 lower-case digits is a digest")
    func parsesDigests() {
        let digits = String(repeating: "0a", count: 32)
        #expect(ContentDigest("sha256:" + digits)?.hexadecimal == digits)
        for text in [
            "sha256:../../x", "sha256:" + digits.uppercased(), "sha256:" + digits.dropLast(), "sha512:" + digits,
            digits, "",
        ] {
            #expect(ContentDigest(text) == nil)
        }
    }
}
