import KubernetesAPI
import LinuxKernel
import Synchronization
import Testing

@testable import ContainerImages

@Suite("ImagePuller")
struct ImagePullerTests {
    private static let simple = ImageFixture([
        [.directory("etc"), .file("etc/os", "one"), .file("etc/gone", "x")],
        [.file("etc/.wh.gone"), .file("app", "two")],
    ])

    @Test(
        "an image is pulled with every compression of its layers and mounts as it was built",
        arguments: TarWriter.Compression.allCases)
    func pulls(_ compression: TarWriter.Compression) async throws {
        var fixture = Self.simple
        fixture.compression = compression
        let content = FakeRegistry.Content.image(fixture)
        let (id, manifest) = (fixture.id, ContentDigest(of: fixture.manifest.serialized()))
        try await FakeRegistry.run({ content.answer($0) }) { registry in
            try await PullFixture.run(plain: [registry.host]) { store, puller in
                let reference = try ImageReference(parsing: "\(registry.host)/team/app:1")
                let outcome = try await puller.pull(reference, keyring: RegistryKeyring())
                #expect(outcome.image.id == id)
                #expect(outcome.image.names == ["\(registry.host)/team/app:1"])
                #expect(outcome.image.digests == ["\(registry.host)/team/app@\(manifest)"])
                try await store.mounted(outcome.image) { (root) throws in
                    #expect(try FileSystem.readText(root + "/etc/os") == "one")
                    #expect(try FileSystem.readText(root + "/app") == "two")
                    #expect(!FileSystem.exists(root + "/etc/gone"))
                }
                // A restart finds it whole.
                let again = ImageManager(root: store.root)
                #expect(try await again.start() == ImageRecovery())
                #expect(await again.resolve("\(registry.host)/team/app@\(manifest)")?.id == id)
            }
        }
    }

    @Test("what is here and current is not fetched again; a moved tag is, and takes the name")
    func movedTag() async throws {
        let other = ImageFixture([[.directory("etc"), .file("etc/os", "newer")]])
        let content = Mutex(FakeRegistry.Content.image(Self.simple))
        try await FakeRegistry.run({ request in content.withLock { $0 }.answer(request) }) { registry in
            try await PullFixture.run(plain: [registry.host]) { store, puller in
                let reference = try ImageReference(parsing: "\(registry.host)/team/app:1")
                let first = try await puller.pull(reference, keyring: RegistryKeyring())
                #expect(!first.wasCurrent)
                let before = registry.requests.count
                let second = try await puller.pull(reference, keyring: RegistryKeyring())
                #expect(second.wasCurrent && second.image.id == first.image.id)
                #expect(registry.requests.dropFirst(before).map(\.method) == ["HEAD"])
                content.withLock { $0.add(other, tag: "1") }
                let third = try await puller.pull(reference, keyring: RegistryKeyring())
                #expect(third.image.id == other.id)
                #expect(await store.manager.resolve("\(reference)")?.id == other.id)
                #expect(await store.manager.list().first { $0.id == first.image.id }?.names == [])
            }
        }
    }

    @Test("an index gives this machine's image, and is known by the digest of the index")
    func index() async throws {
        let foreign = ContentDigest(of: [1])
        let host = ImagePlatform.host.architecture
        let manifest = Self.simple.manifest.serialized()
        func entry(_ digest: ContentDigest, _ size: Int, _ architecture: String) -> JSONValue {
            [
                "mediaType": .string(ImageFixture.manifestType), "digest": .string("\(digest)"),
                "size": .integer(Int64(size)), "platform": ["os": "linux", "architecture": .string(architecture)],
            ]
        }
        let type = "application/vnd.oci.image.index.v1+json"
        let index: JSONValue = [
            "schemaVersion": 2, "mediaType": .string(type),
            "manifests": [
                entry(foreign, 1, "other"), entry(ContentDigest(of: manifest), manifest.count, host),
            ],
        ]
        var content = FakeRegistry.Content.image(Self.simple, tag: "unused")
        content.add(manifest: index.serialized(), type: type, tag: "1")
        let served = content
        let digest = ContentDigest(of: index.serialized())
        try await FakeRegistry.run({ served.answer($0) }) { registry in
            try await PullFixture.run(plain: [registry.host]) { store, puller in
                let name = "\(registry.host)/team/app"
                let pulled = try await puller.pull(
                    try ImageReference(parsing: "\(name)@\(digest)"), keyring: RegistryKeyring())
                #expect(pulled.image.id == Self.simple.id)
                #expect(pulled.image.names == [])
                #expect(pulled.image.digests == ["\(name)@\(digest)"])
                #expect(await store.manager.resolve("\(name)@\(digest)")?.id == Self.simple.id)
            }
        }
    }

    @Test("a blob whose connection breaks again and again is finished from where it broke")
    func resumes() async throws {
        var fixture = ImageFixture([[.file("data", String(repeating: "0123456789abcdef", count: 20_000))]])
        fixture.compression = .none
        let content = FakeRegistry.Content.image(fixture)
        let layer = "\(ContentDigest(of: fixture.storedLayers[0]))"
        let tries = Mutex(0)
        try await FakeRegistry.run({ request in
            var answer = content.answer(request)
            guard request.path.hasSuffix(layer) else { return answer }
            let number = tries.withLock { tries in
                tries += 1
                return tries
            }
            if number < 4 {
                answer.announced = answer.body.count
                answer.cut = 100_000
            }
            return answer
        }) { registry in
            try await PullFixture.run(plain: [registry.host]) { _, puller in
                let reference = try ImageReference(parsing: "\(registry.host)/team/app:1")
                #expect(try await puller.pull(reference, keyring: RegistryKeyring()).image.id == fixture.id)
                let ranges = registry.requests.filter { $0.path.hasSuffix(layer) }.map { $0.header("range") }
                // How much of what was sent arrives before the end does is the kernel's business.
                let offsets = ranges.compactMap { $0?.dropFirst("bytes=".count).dropLast() }.compactMap { Int($0) }
                #expect(ranges.count == 4)
                #expect(ranges.first == .some(nil))
                #expect(offsets.count == 3)
                #expect(offsets == offsets.sorted())
                #expect(offsets.allSatisfy { $0 > 0 })
            }
        }
    }

    @Test("many who want one image at once cause one download of each layer")
    func once() async throws {
        let content = FakeRegistry.Content.image(Self.simple)
        try await FakeRegistry.run({ content.answer($0) }) { registry in
            try await PullFixture.run(plain: [registry.host]) { _, puller in
                // Different names: different pulls of the same layers.
                let names = (0..<8).map { "\(registry.host)/team/app\($0 % 4):1" }
                let ids = await withTaskGroup(of: String?.self) { group in
                    for name in names {
                        group.addTask {
                            guard let reference = try? ImageReference(parsing: name) else { return nil }
                            return try? await puller.pull(reference, keyring: RegistryKeyring()).image.id
                        }
                    }
                    return await group.reduce(into: [String?]()) { $0.append($1) }
                }
                #expect(ids == Array(repeating: Self.simple.id, count: 8))
                for layer in Self.simple.storedLayers {
                    let digest = "\(ContentDigest(of: layer))"
                    #expect(registry.requests.count { $0.path.hasSuffix(digest) } == 1)
                }
            }
        }
    }

    @Test("a pull ends with the last who waits for it, and leaves nothing")
    func cancelled() async throws {
        let content = FakeRegistry.Content.image(Self.simple)
        let layer = "\(ContentDigest(of: Self.simple.storedLayers[1]))"
        let (asked, ask) = AsyncStream<Void>.makeStream()
        try await FakeRegistry.run({ request in
            var answer = content.answer(request)
            if request.path.hasSuffix(layer) {
                answer.announced = answer.body.count
                answer.body = Array(answer.body.prefix(10))
                answer.hangs = true
                ask.yield()
            }
            return answer
        }) { registry in
            try await PullFixture.run(plain: [registry.host]) { store, puller in
                let reference = try ImageReference(parsing: "\(registry.host)/team/app:1")
                let codes = await withTaskGroup(of: ImageError.Code?.self) { group in
                    for _ in 0..<2 {
                        group.addTask {
                            do throws(ImageError) {
                                _ = try await puller.pull(reference, keyring: RegistryKeyring())
                                return nil
                            } catch { return error.code }
                        }
                    }
                    for await _ in asked { break }
                    group.cancelAll()
                    return await group.reduce(into: [ImageError.Code?]()) { $0.append($1) }
                }
                #expect(codes == [.cancelled, .cancelled])
                #expect(await store.manager.list().isEmpty)
            }
        }
    }

    @Test("a mirror is asked first, and the registry itself when the mirror fails or lies")
    func mirrors() async throws {
        let content = FakeRegistry.Content.image(Self.simple)
        let lie = Mutex(false)
        try await FakeRegistry.run({ request in
            lie.withLock { $0 } && request.path.contains("/manifests/")
                ? FakeRegistry.Answer(headers: [("docker-content-digest", "sha256:0")], body: [1, 2]) : .error(404)
        }) { mirror in
            try await FakeRegistry.run({ content.answer($0) }) { registry in
                for lies in [false, true] {
                    lie.withLock { $0 = lies }
                    try await PullFixture.run(plain: [registry.host], mirrors: [registry.host: [mirror.host]]) {
                        _, puller in
                        let reference = try ImageReference(parsing: "\(registry.host)/team/app:1")
                        let before = mirror.requests.count
                        #expect(try await puller.pull(reference, keyring: RegistryKeyring()).image.id == Self.simple.id)
                        #expect(mirror.requests.count > before)
                    }
                }
            }
        }
    }

    @Test("a private image pulled with one credential is not for a pod without it, and an imported one is for all")
    func access() async throws {
        let content = FakeRegistry.Content.image(Self.simple)
        let basic = "Basic " + Base64.encode(Array("ann:secret".utf8))
        let archive = Self.simple.docker
        try await FakeRegistry.run({ request in
            request.header("authorization") == basic
                ? content.answer(request) : .error(401, [("www-authenticate", "Basic realm=\"r\"")])
        }) { registry in
            try await PullFixture.run(plain: [registry.host]) { store, puller in
                let name = "\(registry.host)/team/app:1"
                let reference = try ImageReference(parsing: name)
                let source = RegistryCredential.Source.secret(namespace: "n", name: "s", uid: "u")
                let ring = try PullFixture.keyring(registry.host, user: "ann", password: "secret", source: source)
                let wrong = try PullFixture.keyring(registry.host, user: "ann", password: "guess", source: source)
                let error = await #expect(throws: ImageError.self) { try await puller.pull(reference, keyring: wrong) }
                #expect(error?.code == .unauthorized)
                _ = try await puller.pull(reference, keyring: ring)
                func permitted(_ manager: ImageManager, _ ring: RegistryKeyring) async -> Bool? {
                    await manager.find(reference, credentials: puller.credentials(for: reference, in: ring))?
                        .isPermitted
                }
                #expect(await permitted(store.manager, RegistryKeyring()) == false)
                #expect(await permitted(store.manager, wrong) == false)
                #expect(await permitted(store.manager, ring) == true)
                // By its ID it is as private as by its name, and so it is after a restart.
                #expect(await store.manager.find(id: Self.simple.id, keyring: RegistryKeyring())?.isPermitted == false)
                let again = ImageManager(root: store.root)
                try await again.start()
                #expect(await permitted(again, RegistryKeyring()) == false)
                #expect(await permitted(again, ring) == true)
                _ = try await store.importBytes(archive, name: name)
                #expect(await permitted(store.manager, RegistryKeyring()) == true)
            }
        }
    }
}
