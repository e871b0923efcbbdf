import Glibc
import KubernetesAPI
import LinuxKernel
import Testing

@testable import ContainerImages

@Suite("StoreRecovery")
struct StoreRecoveryTests {
    private static let simple = ImageFixture([[.file("one")], [.file("two")]])

    @Test("a process killed while it unpacks leaves only staging directories, which the next start removes")
    func survivesKill() async throws {
        let big = TarWriter.Entry(name: Array("big".utf8), content: [UInt8](repeating: 3, count: 12 << 20))
        let archive = ImageFixture([[.file("small")], [big], [.file("last")]]).docker
        try await StoreFixture.run { (store) async throws in
            let path = try store.archive(archive)
            let root = store.root
            await #expect(processExitsWith: .signal(SIGKILL)) { [root = root as String, path = path as String] in
                let manager = ImageManager(root: root)
                try await manager.start()
                _ = try await manager.importArchive(path: path) { progress in
                    if case .unpacking = progress.stage, progress.bytes > 6 << 20 { kill(getpid(), SIGKILL) }
                }
            }
            let left = try store.stored()
            #expect(!left.isEmpty)
            #expect(left.allSatisfy { $0.hasPrefix("layers/.staging-") })
            let report = try await store.manager.start()
            #expect(report.leftoversRemoved == left.count)
            #expect(try store.stored().isEmpty)
            #expect(await store.manager.list().isEmpty)
            #expect(try await store.manager.importArchive(path: path).count == 1)
        }
    }

    @Test("a process killed between layers and index leaves layers that the next start removes")
    func removesUnreferenced() async throws {
        let archive = Self.simple.docker
        try await StoreFixture.run { (store) async throws in
            try await store.importBytes(archive).forEach { _ in }
            let index = store.root + "/index.json"
            try FileSystem.writeAtomically(index, Array(#"{"version":1,"images":[]}"#.utf8), durable: false)
            let report = try await store.manager.start()
            // Two layers, the configuration, and the record that a lost index would be rebuilt from.
            #expect(report.unreferencedRemoved == 4)
            #expect(try store.stored().isEmpty)
        }
    }

    @Test(
        "a damaged index is moved aside and rebuilt with its names",
        arguments: ["", "{", "garbage", #"{"version":2,"images":[]}"#, #"{"version":1,"images":[{}]}"#, "\u{0}\u{0}"])
    func rebuildsIndex(_ damage: String) async throws {
        let archive = Self.simple.oci
        try await StoreFixture.run { (store) async throws in
            let image = try await store.importBytes(archive)[0]
            try FileSystem.writeAtomically(store.root + "/index.json", Array(damage.utf8), durable: false)
            let again = ImageManager(root: store.root)
            let report = try await again.start()
            #expect(report.quarantinedIndex == store.root + "/index.json.corrupt-1")
            #expect(try FileSystem.readText(store.root + "/index.json.corrupt-1") == damage)
            #expect(await again.list() == [image])
            // The rebuilt index is whole.
            let third = try await again.start()
            #expect(third == ImageRecovery())
        }
    }

    @Test("a directory in the index's place and a lost index are recovered from as well")
    func rebuildsLostIndex() async throws {
        let archive = Self.simple.docker
        try await StoreFixture.run { (store) async throws in
            let image = try await store.importBytes(archive)[0]
            let index = store.root + "/index.json"
            unlink(index)
            try await store.manager.start()
            #expect(await store.manager.list() == [image])
            unlink(index)
            try FileSystem.makeDirectories(index)
            let report = try await store.manager.start()
            #expect(report.quarantinedIndex != nil)
            #expect(await store.manager.list() == [image])
        }
    }

    @Test("an image that is no longer whole is reported and not offered, and comes back by importing it again")
    func leavesOutBrokenImages() async throws {
        let archive = Self.simple.docker
        try await StoreFixture.run { (store) async throws in
            let image = try await store.importBytes(archive)[0]
            let layer = try #require(image.layers.first).dropFirst(7)
            unlink("\(store.root)/layers/\(layer)/layer.json")
            let report = try await store.manager.start()
            #expect(report.lostImages.count == 1)
            #expect(await store.manager.list().isEmpty)
            #expect(await store.manager.resolve(image.id) == nil)
            #expect(try await store.importBytes(archive) == [image])
            try FileSystem.writeAtomically(
                "\(store.root)/blobs/sha256/\(image.id.dropFirst(7))", [0x7B], durable: false)
            #expect(try await store.manager.start().lostImages.count == 1)
            #expect(try await store.importBytes(archive) == [image])
        }
    }

    @Test("a full or read-only disk gives a storage error, leaves the store as it was, and works again afterwards")
    func survivesFullDisk() async throws {
        let big = TarWriter.Entry(name: Array("big".utf8), content: [UInt8](repeating: 3, count: 4 << 20))
        let (tooBig, small) = (ImageFixture([[.file("a")], [big]], tags: ["big:1"]).docker, Self.simple.docker)
        try await StoreFixture.run { (store) async throws in
            let root = store.directory + "/disk"
            try FileSystem.makeDirectories(root)
            try Mount.mount(type: "tmpfs", source: "tmpfs", target: root, options: "size=2m")
            defer { _ = try? Mount.unmount(root) }
            let manager = ImageManager(root: root)
            try await manager.start()
            let full = await #expect(throws: ImageError.self) {
                try await manager.importArchive(path: try store.archive(tooBig, "big.tar"))
            }
            #expect(full?.code == .storage)
            #expect(full?.message.contains("No space left on device") == true)
            #expect(try FileSystem.list(root + "/layers").isEmpty)
            let image = try await manager.importArchive(path: try store.archive(small, "small.tar"))[0]
            try Mount.mount(type: "tmpfs", source: "tmpfs", target: root, flags: UInt(MS_REMOUNT | MS_RDONLY))
            let readOnly = await #expect(throws: ImageError.self) {
                try await manager.remove(reference: image.id, inUse: [])
            }
            #expect(readOnly?.code == .storage)
            #expect(await manager.list() == [image])
            try Mount.mount(type: "tmpfs", source: "tmpfs", target: root, flags: UInt(MS_REMOUNT))
            try await manager.remove(reference: image.id, inUse: [])
            #expect(try FileSystem.list(root + "/layers").isEmpty)
        }
    }
}
