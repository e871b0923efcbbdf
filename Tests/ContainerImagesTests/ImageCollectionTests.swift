import LinuxKernel
import Testing

@testable import ContainerImages

@Suite("Images that nobody needs")
struct ImageCollectionTests {
    private static func image(_ name: String) -> ImageFixture {
        ImageFixture([[TarWriter.Entry(name: Array(name.utf8), content: Array(name.utf8))]], tags: ["example:\(name)"])
    }

    @Test("what was imported is pinned until it is let go, also for an agent that comes later")
    func pins() async throws {
        try await StoreFixture.run { store in
            let image = try #require(try await store.importBytes(Self.image("a").docker).first)
            #expect(image.isPinned)
            #expect(try await !store.manager.collect(image.id) { ImageNeeds() })
            #expect(try await !store.manager.setPinned(false, reference: "example:a").isPinned)
            let later = ImageManager(root: store.root)
            try await later.start()
            #expect(await later.resolve("example:a")?.isPinned == false)
            #expect(try await later.collect(image.id) { ImageNeeds() })
            #expect(await later.list().isEmpty)
            #expect(try FileSystem.list(store.root + "/layers").isEmpty)
        }
    }

    @Test("an image that a pod asks for by name, by digest or by ID, or that was used, stays")
    func needs() async throws {
        try await StoreFixture.run { store in
            let path = try store.archive(Self.image("a").docker)
            let image = try #require(try await store.manager.importArchive(path: path, isPinned: false).first)
            let references = [
                "example:a", "docker.io/library/example:a", image.id, String(image.id.dropFirst(7).prefix(12)),
            ]
            for reference in references {
                #expect(try await !store.manager.collect(image.id) { ImageNeeds(references: [reference]) })
            }
            #expect(try await !store.manager.collect(image.id) { ImageNeeds(ids: [image.id]) })
            #expect(try await !store.manager.collect(image.id) { nil })
            #expect(await store.manager.resolve("example:a") != nil)
            #expect(try await store.manager.collect(image.id) { ImageNeeds(references: ["example:b"]) })
        }
    }

    @Test("while it is found out whether an image is needed, nobody finds it")
    func hidden() async throws {
        try await StoreFixture.run { store in
            let path = try store.archive(Self.image("a").docker)
            let image = try #require(try await store.manager.importArchive(path: path, isPinned: false).first)
            let manager = store.manager
            let isGone = try await manager.collect(image.id) {
                let found = await manager.resolve("example:a")
                return ImageNeeds(references: found == nil ? ["example:a"] : [])
            }
            #expect(!isGone)
            #expect(await manager.resolve("example:a")?.id == image.id)
        }
    }

    @Test("a use is remembered by the next agent")
    func ledger() async throws {
        try await StoreFixture.run { store in
            let path = try store.archive(Self.image("a").docker)
            let image = try #require(try await store.manager.importArchive(path: path, isPinned: false).first)
            _ = try await store.manager.collectionCandidates(needs: ImageNeeds(), now: 1000)
            _ = await store.manager.use("example:a")
            _ = try await store.manager.collectionCandidates(needs: ImageNeeds(), now: 2000)
            let later = ImageManager(root: store.root)
            try await later.start()
            let candidates = try await later.collectionCandidates(needs: ImageNeeds(), now: 3000)
            #expect(
                candidates == [ImageCollectionPlan.Candidate(id: image.id, firstSeen: 1000, lastUsed: 2000)])
        }
    }
}
