import ContainerRuntime
import Glibc
import KubernetesAPI
import LinuxKernel
import Testing

@testable import ContainerImages

/// The archive around an image, which is parsed in a process of its own.
@Suite("Outer archive")
struct OuterArchiveTests {
    private static let simple = ImageFixture([[.directory("etc"), .file("etc/os", "one")], [.file("app", "two")]])

    /// The one error of an import that leaves nothing.
    private func failure(
        _ store: StoreFixture, _ bytes: [UInt8],
        progress: @escaping @Sendable (ImportProgress) -> Void = { _ in },
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> ImageError? {
        let before = try store.canary()
        let path = try store.archive(bytes)
        let error = await #expect(throws: ImageError.self, sourceLocation: sourceLocation) {
            try await store.manager.importArchive(path: path, progress: progress)
        }
        #expect(try store.stored().isEmpty, sourceLocation: sourceLocation)
        #expect(try store.canary() == before, sourceLocation: sourceLocation)
        #expect(error?.message.contains("\n") == false, sourceLocation: sourceLocation)
        return error
    }

    // MARK: What comes of it

    @Test(
        "a compressed archive is streamed, layers that several places need as often as they need them",
        arguments: TarWriter.Compression.allCases)
    func streams(_ compression: TarWriter.Compression) async throws {
        let noise = (0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) }
        let big = TarWriter.Entry(name: Array("big".utf8), content: noise)
        let image = ImageFixture([[big], [.file("a", "one")], [big], [.file("b")], [.file("a", "one")]])
        let archive = TarWriter.compress(image.docker, compression)
        try await StoreFixture.run { (store) async throws in
            let stored = try #require(try await store.importBytes(archive).first)
            #expect(await store.manager.layers(of: stored).count == 5)
            try await store.mounted(stored) { (root) throws in
                #expect(try FileSystem.read(root + "/big", limit: 1 << 20) == noise)
                #expect(try FileSystem.readText(root + "/a") == "one")
            }
            #expect(!(try store.stored().contains { $0.contains("staging") }))
        }
    }

    @Test("a layer that is in the archive without its holes comes whole", arguments: Confinement.allCases)
    func fillsHoles(_ confinement: Confinement) async throws {
        let image = ImageFixture([[.file("a", "text")]])
        // Header, content, and the two empty blocks of the end, which are left out.
        let layer = image.layers[0]
        #expect(layer.count == 2048)
        var entries = ImageFixture.dockerEntries([image])
        entries[0].content = Array(layer[..<1024])
        entries[0].pax = [
            ("GNU.sparse.major", Array("0".utf8)), ("GNU.sparse.minor", Array("1".utf8)),
            ("GNU.sparse.size", Array("2048".utf8)), ("GNU.sparse.map", Array("0,1024,2048,0".utf8)),
            ("GNU.sparse.name", entries[0].name),
        ]
        let archive = TarWriter.archive(entries)
        try await StoreFixture.run(in: confinement) { (store) async throws in
            let stored = try #require(try await store.importBytes(archive).first)
            try await store.mounted(stored) { (root) throws in
                #expect(try FileSystem.readText(root + "/a") == "text")
            }
        }
    }

    @Test("both sides of the jail find the same in an archive", arguments: [TarWriter.Compression.none, .gzip])
    func agrees(_ compression: TarWriter.Compression) async throws {
        let image = ImageFixture([[.file("a", String(repeating: "x", count: 400_000))], [.file("b")]])
        let entries =
            ImageFixture.dockerEntries([image]) + [.symbolicLink("links/one", to: "../manifest.json"), .file("other")]
        let archive = TarWriter.compress(TarWriter.archive(entries), compression)
        try await StoreFixture.run { (store) async throws in
            let path = try store.archive(archive)
            let file = try ArchiveFile(path: path, subject: "archive")
            let here = try ArchiveContents(
                reading: try ArchiveReader(FileByteSource(file), layout: .compressedTar, subject: "archive"),
                limits: UnpackLimits(), subject: "archive")
            let jailed = try JailedArchive(
                file, .contents(sizeBytes: file.sizeBytes), jail: try #require(TestJail.shared),
                directory: store.host + "/directory", limits: UnpackLimits(), subject: "archive")
            guard case .reply(.contents(let there)) = try jailed.next() else {
                Issue.record("no contents")
                return
            }
            #expect(there.entries == here.entries)
            #expect(there.documents == here.documents)
            #expect(there.links == ["links/one": "manifest.json"])
            #expect(there.entries.values.allSatisfy { ($0.offsetBytes == nil) == (compression == .gzip) })
            for entry in there.entries.values {
                guard let offset = entry.offsetBytes else { continue }
                let place = Int(offset)..<Int(offset + entry.sizeBytes)
                #expect(entries[entry.number].content == Array(archive[place]))
            }
        }
    }

    // MARK: What would break it

    @Test("a process that dies while it parses is one error, and leaves nothing")
    func survivesDeath() async throws {
        let archives = [Self.simple.docker, TarWriter.compress(Self.simple.oci, .zstd)]
        for archive in archives {
            try await StoreFixture.run { (store) async throws in
                let error = try await failure(store, archive) { progress in
                    if progress.stage == .reading { Self.signal(SIGKILL, parserIn: store) }
                }
                #expect(error?.code == .invalidArchive)
                #expect(error?.message.contains("ended without an answer") == true, "\(String(describing: error))")
                // The next one is as if nothing had been.
                #expect(try await store.importBytes(archive).count == 1)
            }
        }
        try await StoreFixture.run { (store) async throws in
            let error = try await failure(store, archives[1]) { progress in
                if case .unpacking = progress.stage { Self.signal(SIGKILL, parserIn: store) }
            }
            #expect(error?.message.contains("ended without an answer") == true, "\(String(describing: error))")
        }
    }

    @Test("a process that stands still is ended after a time")
    func endsStanding() async throws {
        var limits = UnpackLimits()
        limits.stallSeconds = 1
        try await StoreFixture.run(limits: limits) { (store) async throws in
            let error = try await failure(store, Self.simple.docker) { _ in
                Self.signal(SIGSTOP, parserIn: store)
            }
            #expect(error?.code == .limitExceeded)
            #expect(error?.message.contains("stood still for 1 s") == true, "\(String(describing: error))")
            #expect(Self.parsers(in: store).isEmpty)
        }
    }

    /// Processes that see nothing but a part of the store.
    private static func parsers(in store: StoreFixture) -> [pid_t] {
        guard let name = store.directory.split(separator: "/").last, let all = try? FileSystem.list("/proc") else {
            return []
        }
        return all.compactMap { pid_t($0) }.filter { pid in
            let mounts = try? FileSystem.readText("/proc/\(pid)/mountinfo", limit: 1 << 20)
            return mounts?.contains("/\(name)/store/layers/.staging-") == true
        }
    }

    private static func signal(_ signal: Int32, parserIn store: StoreFixture) {
        for pid in parsers(in: store) { kill(pid, signal) }
    }

    @Test("more processor time, entries or names than the limits allow end it")
    func limitsParsing() async throws {
        func changed(_ change: (inout UnpackLimits) -> Void) -> UnpackLimits {
            var limits = UnpackLimits()
            change(&limits)
            return limits
        }
        let cases: [(UnpackLimits, String)] = [
            (changed { $0.processorSeconds = -1 }, "processor time"),
            (changed { $0.archiveEntries = 3 }, "has more than 3 entries"),
            (changed { $0.rememberedPathBytes = 100 }, "has more than 100 bytes of names"),
            (changed { $0.pathBytes = 20 }, "its path is longer than 20 bytes"),
            (changed { $0.documentBytes = 10 }, "manifest.json: is larger than 10 bytes"),
            (changed { $0.importBytes = 100 }, "unpacks to more than 100 bytes"),
        ]
        for (limits, message) in cases {
            try await StoreFixture.run(limits: limits) { (store) async throws in
                let error = try await failure(store, TarWriter.compress(Self.simple.docker, .gzip))
                #expect(error?.code == .limitExceeded)
                #expect(error?.message.contains(message) == true, "\(String(describing: error))")
            }
        }
    }

    @Test("an archive that asks for more memory than a parser has is refused")
    func limitsMemory() async throws {
        // RFC 8878: magic, a header with a window of 2^31 bytes, then a last block of 2^17 repeated zeroes.
        let window: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 21 << 3, 0x03, 0x00, 0x10, 0x00]
        try await StoreFixture.run { (store) async throws in
            #expect(try await failure(store, window)?.code == .invalidArchive)
        }
    }

    @Test("without the jail's program nothing is parsed")
    func failsClosed() async throws {
        try await StoreFixture.run { (store) async throws in
            let broken = ImageManager(
                root: store.root, limits: UnpackLimits(),
                confinement: UnpackJail(program: "/bin/true", filter: try UnpackingFilter.program()))
            try await broken.start()
            let path = try store.archive(Self.simple.docker)
            let error = await #expect(throws: ImageError.self) { try await broken.importArchive(path: path) }
            #expect(error?.code == .storage)
            #expect(error?.message.contains("cannot be confined") == true)
            #expect(try store.stored().isEmpty)
        }
    }

    @Test(
        "nothing that an archive says of its entries leads out of it", arguments: [TarWriter.Compression.none, .gzip])
    func staysInside(_ compression: TarWriter.Compression) async throws {
        let plain = ImageFixture.dockerEntries([Self.simple])
        try await StoreFixture.run { (store) async throws in
            let canary = store.host + "/canary"
            let planted: [(ImageError.Code, [TarWriter.Entry])] = [
                (.unsafePath, plain + [.file("../../../../../../../.." + canary, "evil")]),
                (.unsafePath, plain + [.file(canary, "evil")]),
                (.unsafePath, plain + [.node("device", type: "4", major: 1, minor: 1)]),
                (.unsafePath, plain + [.node("fifo", type: "6")]),
                // The manifest, a configuration and a layer would be the host's.
                (.invalidArchive, [.symbolicLink("manifest.json", to: canary)]),
                (.invalidArchive, [.hardLink("manifest.json", to: "../../.." + canary)]),
                (
                    .invalidArchive,
                    [
                        .symbolicLink("l/layer.tar", to: "../../../../../../.." + canary),
                        .file("manifest.json", #"[{"Config":"l/layer.tar","RepoTags":[],"Layers":["l/layer.tar"]}]"#),
                    ]
                ),
                (
                    .invalidArchive,
                    [
                        .file("manifest.json", #"[{"Config":"../host/canary","Layers":[]}]"#),
                        .symbolicLink("l", to: "/"),
                    ]
                ),
            ]
            for (code, entries) in planted {
                let error = try await failure(store, TarWriter.compress(TarWriter.archive(entries), compression))
                #expect(error?.code == code, "\(String(describing: error))")
            }
            // Links of the archive are names, and nothing of it becomes a file but its layers.
            let archive = TarWriter.archive(
                plain + [.symbolicLink("etc", to: store.host), .file("etc/canary", "evil")])
            let before = try store.canary()
            #expect(try await store.importBytes(TarWriter.compress(archive, compression)).count == 1)
            #expect(try store.canary() == before)
        }
    }

    // MARK: What a process that was taken over may say

    private func contents(_ fill: (inout JailEncoder) -> Void) -> ArchiveContents? {
        var encoder = JailEncoder()
        encoder.add(UInt8(4))
        fill(&encoder)
        let reply = try? UnpackReply(decoding: encoder.bytes, limits: UnpackLimits(), subject: "archive")
        guard case .contents(let contents)? = reply else { return nil }
        return contents
    }

    private func claim(
        _ name: String = "a", number: UInt32 = 0, size: Int64 = 1, offset: Int64 = 0, link: String = "b",
        document: String = "c", content: [UInt8] = [0x7B]
    ) -> ArchiveContents? {
        contents { encoder in
            encoder.add(UInt32(1))
            encoder.add(name)
            encoder.add(number)
            encoder.add(size)
            encoder.add(offset)
            encoder.add(UInt32(1))
            encoder.add("link")
            encoder.add(link)
            encoder.add(UInt32(1))
            encoder.add(document)
            encoder.add(bytes: content)
        }
    }

    @Test("claimed names, places and documents are within their limits")
    func refusesClaims() throws {
        #expect(claim()?.entries == ["a": ArchiveContents.Entry(number: 0, sizeBytes: 1, offsetBytes: 0)])
        #expect(claim(offset: -1)?.entries["a"]?.offsetBytes == nil)
        for name in ["../a", "/a", "a/", "a//b", "./a", "a/../b", String(repeating: "n", count: 40_000)] {
            #expect(claim(name) == nil, "\(name.prefix(20))")
            #expect(claim(link: name) == nil, "\(name.prefix(20))")
            #expect(claim(document: name) == nil, "\(name.prefix(20))")
        }
        #expect(claim(number: 100_000) == nil)
        #expect(claim(size: -1) == nil)
        #expect(claim(size: .max) == nil)
        #expect(claim(offset: -2) == nil)
        #expect(claim(content: [UInt8](repeating: 0x20, count: 4 << 20 + 1)) == nil)
        #expect(contents { $0.add(UInt32.max) } == nil)
    }

    @Test("a claimed place beyond the file has no bytes")
    func endsWithFile() async throws {
        try await StoreFixture.run { (store) async throws in
            let file = try ArchiveFile(path: try store.archive([1, 2, 3]), subject: "archive")
            for (start, count, bytes) in [
                (1, 1, [2]), (1, .max, [2, 3]), (3, 1, []), (.max, .max, []), (-1, 2, [1, 2]), (0, -1, []),
            ] as [(Int64, Int64, [UInt8])] {
                let source = FileByteSource(file, from: start, count: count)
                #expect(try Array(source.next()) == bytes, "\(start) \(count)")
                #expect(try source.next().isEmpty)
            }
        }
    }

    @Test("a message is one of three, and its number no more than it may be")
    func refusesMessages() throws {
        for message in [ArchiveMessage.read(offsetBytes: 7), .entry(8), .data(count: 9), .data(count: 0)] {
            #expect(try ArchiveMessage(decoding: message.encoded) == message)
            #expect(ArchiveMessage.begins(with: message.encoded[0]))
            #expect(message.encoded.count == ArchiveMessage.encodedBytes)
        }
        #expect((try? ArchiveMessage(decoding: ArchiveMessage.data(count: 1 << 18).encoded)) == nil)
        #expect((try? ArchiveMessage(decoding: ArchiveMessage.read(offsetBytes: -1).encoded)) == nil)
        #expect((try? ArchiveMessage(decoding: [0x84, 0, 0, 0, 0, 0, 0, 0, 0])) == nil)
        let replies: [UnpackReply] = [.entries, .attempts([]), .failure(ImageError(.storage, "x"))]
        for reply in replies { #expect(!ArchiveMessage.begins(with: reply.encoded()[0])) }
    }
}
