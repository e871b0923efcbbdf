import Glibc
import LinuxKernel
import Testing

@testable import ContainerImages

@Suite("Verification of what is stored")
struct ImageVerificationTests {
    private static let fixture = ImageFixture([
        [
            TarWriter.Entry(name: Array("a".utf8), content: Array("content of a".utf8)),
            TarWriter.Entry(name: Array("big".utf8), content: [UInt8](repeating: 7, count: 200_000)),
        ]
    ])

    /// Path of a file of the image's one layer.
    private static func file(_ name: String, of image: StoredImage, in store: StoreFixture) throws -> String {
        let layer = try #require(image.layers.first.flatMap { ContentDigest($0) })
        return "\(store.root)/layers/\(layer.hexadecimal)/diff/\(name)"
    }

    /// Changes one byte and leaves size and time as they were: what a disk does.
    private static func flip(_ path: String, at offset: off_t) throws {
        var status = stat()
        try kernelCall("lstat", path) { lstat(path, &status) }
        let file = try OwnedDescriptor.open(path, O_RDWR)
        var byte: UInt8 = 0
        #expect(pread(file.raw, &byte, 1, offset) == 1)
        byte ^= 1
        #expect(pwrite(file.raw, &byte, 1, offset) == 1)
        var times = [status.st_atim, status.st_mtim]
        #expect(futimens(file.raw, &times) == 0)
    }

    @Test("before its files were hashed a layer is said not to be verified; afterwards it is sound")
    func seals() async throws {
        try await StoreFixture.run { store in
            _ = try await store.importBytes(Self.fixture.docker)
            let first = try #require(try await store.manager.verify(nil).first)
            #expect(first.problems.isEmpty && first.unverified.count == 1)
            try await store.manager.sealLayers()
            let second = try #require(try await store.manager.verify("example:1").first)
            #expect(second.problems.isEmpty && second.unverified.isEmpty)
            let later = ImageManager(root: store.root)
            try await later.start()
            #expect(try await later.verify(nil).first?.unverified.isEmpty == true)
        }
    }

    @Test(
        "one flipped bit is found; the image is not used any more, by this agent or the next, until it is imported again"
    )
    func damage() async throws {
        try await StoreFixture.run { store in
            let image = try #require(try await store.importBytes(Self.fixture.docker).first)
            try await store.manager.sealLayers()
            let path = try Self.file("big", of: image, in: store)
            try Self.flip(path, at: 150_000)
            let found = try #require(try await store.manager.verify(nil).first)
            #expect(found.problems.count == 1)
            #expect(await store.manager.resolve("example:1") == nil)
            #expect(await store.manager.list().first?.isBroken == true)
            let later = ImageManager(root: store.root)
            try await later.start()
            #expect(await later.resolve("example:1") == nil)
            let again = try await later.importArchive(path: try store.archive(Self.fixture.docker)).first
            #expect(again?.isBroken == false)
            #expect(await later.resolve("example:1")?.id == image.id)
            #expect(try FileSystem.read(path) == [UInt8](repeating: 7, count: 200_000))
            try await later.sealLayers()
            #expect(try await later.verify(nil).first?.problems.isEmpty == true)
        }
    }

    @Test(
        "what is gone, added, changed in mode or owner, or turned into a link is found",
        arguments: ["rm", "add", "chmod", "chown", "link", "layer"])
    func changes(kind: String) async throws {
        try await StoreFixture.run { store in
            let image = try #require(try await store.importBytes(Self.fixture.docker).first)
            try await store.manager.sealLayers()
            let path = try Self.file("a", of: image, in: store)
            switch kind {
            case "rm": #expect(unlink(path) == 0)
            case "add": try FileSystem.writeAtomically(path + "2", [1], durable: false)
            case "chmod": #expect(chmod(path, 0o4755) == 0)
            case "chown": #expect(chown(path, 5, 5) == 0)
            case "link": #expect(unlink(path) == 0 && symlink("/etc/passwd", path) == 0)
            default: try FileSystem.removeTree(String(path.dropLast("/diff/a".count)))
            }
            let found = try #require(try await store.manager.verify(nil).first)
            #expect(found.problems.count == 1, "\(kind)")
            #expect(await store.manager.resolve("example:1") == nil)
        }
    }

    @Test("a damaged configuration is found")
    func configuration() async throws {
        try await StoreFixture.run { store in
            let image = try #require(try await store.importBytes(Self.fixture.docker).first)
            try Self.flip("\(store.root)/blobs/sha256/\(image.id.dropFirst(7))", at: 3)
            let found = try #require(try await store.manager.verify(nil).first)
            #expect(found.problems.count == 1)
            #expect(await store.manager.resolve("example:1") == nil)
        }
    }

    @Test("holes and zeroes are the same content")
    func sparse() async throws {
        try await StoreFixture.run { store in
            var digests: [ContentDigest] = []
            for (number, isSparse) in [true, false].enumerated() {
                let directory = "\(store.directory)/tree-\(number)"
                try FileSystem.makeDirectories(directory, mode: 0o755)
                let file = try OwnedDescriptor.open(directory + "/file", O_RDWR | O_CREAT, mode: 0o644)
                if isSparse {
                    #expect(ftruncate(file.raw, 1 << 20) == 0)
                } else {
                    try file.writeAll([UInt8](repeating: 0, count: 1 << 20)[...])
                }
                #expect(pwrite(file.raw, "x", 1, 700_001) == 1)
                var times = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1, tv_nsec: 0)]
                #expect(futimens(file.raw, &times) == 0)
                digests.append(try LayerSeal.digest(of: directory))
            }
            #expect(digests[0] == digests[1])
        }
    }
}
