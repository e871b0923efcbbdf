import Glibc
import KubernetesAPI
import LinuxKernel
import Testing

@testable import ContainerImages

@Suite("ImageManager")
struct ImageManagerTests {
    private static let simple = ImageFixture([[.directory("etc"), .file("etc/os", "one")], [.file("app", "two")]])

    private func refusal(
        _ store: StoreFixture, _ bytes: [UInt8], name: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> ImageError.Code? {
        let before = try store.stored()
        let error = await #expect(throws: ImageError.self, sourceLocation: sourceLocation) {
            try await store.importBytes(bytes, name: name)
        }
        #expect(try store.stored() == before, sourceLocation: sourceLocation)
        #expect(error?.message.contains("\n") == false, sourceLocation: sourceLocation)
        return error?.code
    }

    // MARK: Import

    @Test(
        "docker and oci archives import with every compression, of the layers and of the whole",
        arguments: TarWriter.Compression.allCases)
    func importsEveryForm(_ compression: TarWriter.Compression) async throws {
        var fixture = Self.simple
        fixture.compression = compression
        fixture.config = [
            "User": "1000:1000", "Env": ["PATH=/bin", "A=b=c"], "Entrypoint": ["/app"], "Cmd": ["--run"],
            "WorkingDir": "/etc",
            "Labels": ["a": "b"], "ExposedPorts": ["80/tcp": [:]], "Volumes": ["/data": [:]], "StopSignal": "SIGINT",
        ]
        let (docker, oci, id) = (fixture.docker, fixture.oci, fixture.id)
        let manifest = ContentDigest(of: fixture.manifest.serialized())
        try await StoreFixture.run { (store) async throws in
            let image = try await store.importBytes(docker)[0]
            #expect(image.id == id)
            #expect(image.names == ["docker.io/library/example:1"])
            #expect(image.digests.isEmpty)
            #expect(image.createdAt == "2024-05-06T07:08:09Z")
            #expect(image.sizeBytes > 6)
            #expect(
                image.config
                    == ImageConfig(
                        user: "1000:1000", env: ["PATH=/bin", "A=b=c"], entrypoint: ["/app"], command: ["--run"],
                        workingDirectory: "/etc", labels: ["a": "b"], exposedPorts: ["80/tcp"], volumes: ["/data"],
                        stopSignal: "SIGINT"))
            let again = try await store.importBytes(TarWriter.compress(oci, compression))[0]
            #expect(again.id == id)
            #expect(again.digests == ["docker.io/library/example@\(manifest)"])
            #expect(await store.manager.list() == [again])
            try await store.mounted(again) { (root) throws in
                #expect(try FileSystem.readText(root + "/etc/os") == "one")
                #expect(try FileSystem.readText(root + "/app") == "two")
            }
            try await store.manager.remove(reference: "example:1", inUse: [])
            #expect(await store.manager.list().isEmpty)
            #expect(try store.stored().isEmpty)
        }
    }

    @Test("images are found by name, digest, ID and a unique beginning of it")
    func resolves() async throws {
        try await StoreFixture.run { (store) async throws in
            let image = try await store.importBytes(Self.simple.oci)[0]
            let digits = image.id.dropFirst(7)
            let digest = ContentDigest(of: Self.simple.manifest.serialized())
            for reference in [
                "example:1", "library/example:1", "docker.io/library/example:1", "example@\(digest)",
                "example:9@\(digest)", image.id,
                "\(digest)", String(digits), String(digits.prefix(12)), "sha256:" + digits.prefix(6),
            ] {
                #expect(await store.manager.resolve(reference)?.id == image.id, "\(reference)")
            }
            for reference in [
                "example", "example:2", "other:1", "other@\(digest)", String(digits.prefix(3)), "", "host:///",
            ] {
                #expect(await store.manager.resolve(reference) == nil, "\(reference)")
            }
        }
    }

    @Test("a given name replaces the archive's, and moves from the image that had it")
    func movesNames() async throws {
        try await StoreFixture.run { (store) async throws in
            let first = try await store.importBytes(Self.simple.docker, name: "quay.io/team/app:v1")[0]
            #expect(first.names == ["quay.io/team/app:v1"])
            let other = ImageFixture([[.file("other")]])
            let second = try await store.importBytes(other.docker, name: "quay.io/team/app:v1")[0]
            #expect(await store.manager.resolve("quay.io/team/app:v1")?.id == second.id)
            #expect(await store.manager.resolve(first.id)?.names == [])
            #expect(await store.manager.list().map(\.id) == [second.id, first.id])
        }
    }

    @Test("several images in one archive share their layers")
    func importsSeveralImages() async throws {
        let base: [TarWriter.Entry] = [.file("base", "shared")]
        let images = [
            ImageFixture([base, [.file("a")]], tags: ["a:1", "a:2"]),
            ImageFixture([base, [.file("b")]], tags: ["b:1"]),
        ]
        try await StoreFixture.run { (store) async throws in
            #expect(try await refusal(store, ImageFixture.docker(images), name: "one:1") == .invalidArchive)
            let stored = try await store.importBytes(ImageFixture.docker(images))
            #expect(stored.count == 2)
            #expect(stored[0].layers[0] == stored[1].layers[0])
            #expect(try FileSystem.list(store.root + "/layers").count == 3)
            // One of two names goes alone; the image goes with its last one, the shared layer with its last image.
            try await store.manager.remove(reference: "a:1", inUse: [stored[0].id])
            #expect(await store.manager.resolve("a:2")?.names == ["docker.io/library/a:2"])
            let refused = await #expect(throws: ImageError.self) {
                try await store.manager.remove(reference: "a:2", inUse: [stored[0].id])
            }
            #expect(refused?.code == .inUse)
            try await store.manager.remove(reference: "a:2", inUse: [])
            #expect(try FileSystem.list(store.root + "/layers").count == 2)
            try await store.mounted(stored[1]) { (root) throws in #expect(try FileSystem.list(root) == ["b", "base"]) }
            try await store.manager.remove(reference: stored[1].id, inUse: [])
            #expect(try store.stored().isEmpty)
            let missing = await #expect(throws: ImageError.self) {
                try await store.manager.remove(reference: "a:2", inUse: [])
            }
            #expect(missing?.code == .notFound)
        }
    }

    @Test("a layer that occurs twice in one image is unpacked for each place")
    func importsRepeatedLayers() async throws {
        try await StoreFixture.run { (store) async throws in
            let image = try await store.importBytes(ImageFixture([[.file("a")], [.file("b")], [.file("a")]]).docker)[0]
            #expect(Set(image.layers).count == 3)
            try await store.mounted(image) { (root) throws in #expect(try FileSystem.list(root) == ["a", "b"]) }
        }
    }

    @Test("concurrent imports of the same and of overlapping images unpack each layer once")
    func importsConcurrently() async throws {
        let base: [TarWriter.Entry] = (0..<200).map { .file("file\($0)", String(repeating: "x", count: 1000)) }
        try await StoreFixture.run { (store) async throws in
            var paths: [String] = []
            for number in 0..<4 {
                let fixture = ImageFixture([base, [.file("own\(number % 2)")]], tags: ["image\(number % 2):\(number)"])
                paths.append(try store.archive(fixture.docker, "image\(number).tar"))
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for path in paths { group.addTask { _ = try await store.manager.importArchive(path: path) } }
                try await group.waitForAll()
            }
            #expect(await store.manager.list().count == 2)
            #expect(await store.manager.list().map(\.names.count) == [2, 2])
            #expect(try FileSystem.list(store.root + "/layers").count == 3)
        }
    }

    @Test("layers shared by links between entries, as older tools write them, are followed")
    func followsArchiveLinks() async throws {
        let fixture = Self.simple
        var entries = ImageFixture.dockerEntries([fixture])
        let name = String(decoding: entries[0].name, as: UTF8.self)
        entries[0].name = Array("real.tar".utf8)
        entries.append(.symbolicLink(name, to: "../real.tar"))
        let archive = TarWriter.archive(entries)
        try await StoreFixture.run { (store) async throws in
            #expect(try await store.importBytes(archive)[0].id == fixture.id)
        }
    }

    @Test("an index of several platforms gives this machine's image")
    func choosesPlatform() async throws {
        var foreign = Self.simple
        foreign.architecture = "s390x"
        let native = Self.simple
        func entry(_ fixture: ImageFixture, _ architecture: String) -> JSONValue {
            var descriptor = ImageFixture.descriptor(ImageFixture.manifestType, fixture.manifest.serialized())
            descriptor["platform"] = ["os": "linux", "architecture": .string(architecture)]
            return .object(descriptor)
        }
        let nested: JSONValue = [
            "manifests": [entry(foreign, "s390x"), entry(native, ImagePlatform.host.architecture)]
        ]
        var outer = ImageFixture.descriptor("application/vnd.oci.image.index.v1+json", nested.serialized())
        outer["annotations"] = ["io.containerd.image.name": "multi:1", "org.opencontainers.image.ref.name": "1"]
        let archive = ImageFixture.layout(
            index: ["manifests": [.object(outer)]],
            blobs: foreign.blobs + native.blobs + [ImageFixture.blob(nested.serialized())])
        let onlyForeign = ImageFixture.layout(index: ["manifests": [entry(foreign, "s390x")]], blobs: foreign.blobs)
        try await StoreFixture.run { (store) async throws in
            let image = try await store.importBytes(archive)[0]
            #expect(image.id == native.id)
            #expect(image.names == ["docker.io/library/multi:1"])
            #expect(try await refusal(store, onlyForeign) == .platformMismatch)
            #expect(try await refusal(store, foreign.docker) == .platformMismatch)
        }
    }

    // MARK: Bad input

    @Test("what is no image archive gives one clear error and leaves nothing")
    func refusesNonArchives() async throws {
        try await StoreFixture.run { (store) async throws in
            #expect(try await refusal(store, []) == .invalidArchive)
            #expect(try await refusal(store, Array("this is not an archive, only text".utf8)) == .invalidArchive)
            #expect(try await refusal(store, TarWriter.archive([.file("hello", "world")])) == .invalidArchive)
            #expect(try await refusal(store, TarWriter.archive([])) == .invalidArchive)
            #expect(try await refusal(store, TarWriter.archive([.file("manifest.json", "[]")])) == .invalidArchive)
            #expect(try await refusal(store, TarWriter.archive([.file("manifest.json", "{")])) == .invalidArchive)
            #expect(
                try await refusal(store, TarWriter.archive([.file("manifest.json", #"[{"Config":1,"Config":2}]"#)]))
                    == .invalidArchive)
            #expect(try await refusal(store, TarWriter.archive([.file("../manifest.json", "[]")])) == .unsafePath)
            #expect(try await refusal(store, TarWriter.archive([.file("/manifest.json", "[]")])) == .unsafePath)
            #expect(
                try await refusal(store, TarWriter.archive([.node("x", type: "3", major: 1, minor: 1)])) == .unsafePath)
            #expect(try await refusal(store, Self.simple.docker, name: "BAD NAME") == .invalidReference)
            let missing = await #expect(throws: ImageError.self) {
                try await store.manager.importArchive(path: "/nonexistent.tar")
            }
            #expect(missing?.code == .notFound)
            let directory = await #expect(throws: ImageError.self) {
                try await store.manager.importArchive(path: store.host)
            }
            #expect(directory?.code == .invalidArchive)
            let fifo = store.directory + "/fifo"
            try kernelCall("mkfifo") { mkfifo(fifo, 0o600) }
            let blocked = await #expect(throws: ImageError.self) { try await store.manager.importArchive(path: fifo) }
            #expect(blocked?.code == .invalidArchive)
        }
    }

    @Test("an archive cut anywhere is refused and leaves nothing", arguments: TarWriter.Compression.allCases)
    func refusesTruncated(_ compression: TarWriter.Compression) async throws {
        // Bytes that do not compress, so that cuts fall into the layers.
        var generator = SystemRandomNumberGenerator()
        let noise = TarWriter.Entry(
            name: [0x6E], content: (0..<40_000).map { _ in UInt8.random(in: 0...255, using: &generator) })
        var fixture = ImageFixture([[noise], [.file("b")]])
        fixture.compression = .gzip
        let whole = TarWriter.compress(fixture.docker, compression)
        let cuts = stride(from: whole.count / 10, to: whole.count * 9 / 10, by: whole.count / 10)
        try await StoreFixture.run { (store) async throws in
            for cut in cuts { #expect(try await refusal(store, Array(whole[..<cut])) != nil) }
            #expect(try await store.importBytes(whole).count == 1)
        }
    }

    @Test("a truncated layer, wrong digests and wrong sizes are refused")
    func refusesWrongContent() async throws {
        var truncated = Self.simple
        truncated.compression = .gzip
        let cutLayer = Array(truncated.storedLayers[1].dropLast(20))
        var entries = ImageFixture.dockerEntries([truncated])
        entries[1].content = cutLayer
        let cut = TarWriter.archive(entries)

        var wrongDiff = Self.simple
        wrongDiff.diffIDs = [Self.simple.layers[0], [1]].map { ContentDigest(of: $0).description }
        let wrongDiffBytes = wrongDiff.docker

        var flipped = Self.simple.blobs
        flipped[0].content[600] ^= 1
        var longer = Self.simple.blobs
        longer[1].content += [0]
        var config = Self.simple.blobs
        config[2].content += [0x20]

        try await StoreFixture.run { (store) async throws in
            #expect(try await refusal(store, cut) == .invalidArchive)
            #expect(try await refusal(store, wrongDiffBytes) == .digestMismatch)
            #expect(
                try await refusal(store, ImageFixture.layout(index: Self.simple.index, blobs: flipped))
                    == .digestMismatch)
            #expect(
                try await refusal(store, ImageFixture.layout(index: Self.simple.index, blobs: longer))
                    == .digestMismatch)
            #expect(
                try await refusal(store, ImageFixture.layout(index: Self.simple.index, blobs: config))
                    == .digestMismatch)
            let withoutLayer = Array(Self.simple.blobs.dropFirst())
            #expect(
                try await refusal(store, ImageFixture.layout(index: Self.simple.index, blobs: withoutLayer))
                    == .invalidArchive)
        }
    }

    @Test("a manifest that could be read two ways is refused before anything is unpacked")
    func refusesAmbiguousManifests() async throws {
        let good = Self.simple
        func archive(_ change: (inout JSONValue) -> Void) -> [UInt8] {
            var manifest = good.manifest
            change(&manifest)
            let bytes = manifest.serialized()
            let index: JSONValue = ["manifests": [.object(ImageFixture.descriptor(ImageFixture.manifestType, bytes))]]
            return ImageFixture.layout(index: index, blobs: good.blobs + [ImageFixture.blob(bytes)])
        }
        let archives: [[UInt8]] = [
            archive { $0["manifests"] = [] },
            archive { $0["mediaType"] = "application/vnd.oci.image.index.v1+json" },
            archive { $0["layers"] = [] },
            archive { $0["config"] = ["mediaType": "application/x-helm", "digest": .string(good.id), "size": 1] },
            archive { $0["config"] = ["digest": "sha256:../../x", "size": 1] },
        ]
        try await StoreFixture.run { (store) async throws in
            for (number, archive) in archives.enumerated() {
                #expect(try await refusal(store, archive) == .invalidArchive, "archive \(number)")
            }
            let layers: JSONValue = .array((0..<10_000).map { _ in ["digest": .string(good.id), "size": 1] })
            #expect(try await refusal(store, archive { $0["layers"] = layers }) == .limitExceeded)
            #expect(try await store.importBytes(archive { _ in }).count == 1)
        }
    }

    @Test(
        "a configuration that is more than data is refused",
        arguments: [
            ["Env": ["A\nB=c"]], ["Env": ["=x"]], ["Env": ["novalue"]], ["Env": ["A=\u{0}"]], ["Env": "A=b"],
            ["Env": [1]],
            ["Env": [.string("A=" + String(repeating: "x", count: 1 << 20))]], ["User": "a\nb"], ["Volumes": ["": [:]]],
            ["Volumes": ["/../../etc": [:]]], ["Volumes": ["data": [:]]], ["StopSignal": "SIG TERM"],
            ["Cmd": ["a\u{0}b"]],
            ["Entrypoint": "/bin/sh"], ["Labels": ["a": 1]], ["WorkingDir": 1],
        ] as [[String: JSONValue]])
    func refusesBadConfig(_ config: [String: JSONValue]) async throws {
        var fixture = Self.simple
        fixture.config = config
        let archive = fixture.docker
        try await StoreFixture.run { (store) async throws in
            let code = try await refusal(store, archive)
            #expect(code == .invalidArchive || code == .limitExceeded)
        }
    }

    @Test("a cancelled import stops and leaves nothing")
    func cancels() async throws {
        let noise = TarWriter.Entry(name: [0x6E], content: [UInt8](repeating: 1, count: 1 << 20))
        let archive = ImageFixture([[noise]]).docker
        try await StoreFixture.run { (store) async throws in
            let path = try store.archive(archive)
            let outcome = await withTaskGroup(of: ImageError.Code?.self) { group in
                group.addTask {
                    do throws(ImageError) {
                        _ = try await store.manager.importArchive(path: path)
                        return nil
                    } catch {
                        return error.code
                    }
                }
                group.cancelAll()
                return await group.next() ?? nil
            }
            #expect(outcome == .cancelled)
            #expect(try store.stored().isEmpty)
        }
    }
}
