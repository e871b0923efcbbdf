import CLinux
import ContainerRuntime
import Glibc
import LinuxKernel
import Testing

@testable import ContainerImages

/// What a process can do that unpacks a layer, whatever the layer has made of it.
@Suite("UnpackJail")
struct UnpackJailTests {
    private func jail() throws -> UnpackJail { try #require(TestJail.shared) }

    /// A directory for a layer, beside files that nothing may touch.
    private func layer(_ store: StoreFixture) throws -> String {
        let directory = store.directory + "/layer"
        try FileSystem.makeDirectories(directory)
        return directory
    }

    private func stream(_ archive: [UInt8], limits: UnpackLimits = UnpackLimits()) -> LayerStream {
        LayerStream(
            blobDigest: nil, blobSizeBytes: nil, diffID: ContentDigest(of: archive), hasParent: true, limits: limits,
            subject: "layer \"test\"")
    }

    @Test("everything that would lead out of the jail is refused")
    func refusesEverything() async throws {
        let expected: [String: Int32] = [
            "read a file of the host": ENOENT, "write to a directory of the host": ENOENT,
            "read a file below /proc": ENOENT, "open a device": EACCES, "mark a directory for overlayfs": EPERM,
        ]
        try await StoreFixture.run { (store) async throws in
            let before = try store.canary()
            let directory = try layer(store)
            let attempts = try jail().attempts(in: directory)
            #expect(attempts.count == 31)
            for attempt in attempts {
                #expect(attempt.errno == expected[attempt.name] ?? EPERM, "\(attempt.name): errno \(attempt.errno)")
            }
            #expect(try FileSystem.list(directory).isEmpty)
            #expect(try store.canary() == before)
        }
    }

    @Test("the attempts are none that the kernel refuses to everybody: unconfined, they work")
    func attemptsAreReal() throws {
        // Those that leave nothing behind.
        let file = open("/../../../../etc/passwd", O_RDONLY)
        #expect(file >= 0)
        close(file)
        #expect(CLinux_try_fork() == 0)
    }

    @Test("a jailed layer is the same as one unpacked in this process")
    func agrees() async throws {
        var directory = TarWriter.Entry.directory("set/", mode: 0o2775)
        directory.gid = 50
        let archive = TarWriter.archive([
            directory, .file("set/uid", "program", mode: 0o4755), .hardLink("set/same", to: "set/uid"),
            .symbolicLink("link", to: "set"), .file("link/.wh..wh..opq"), .file("implicit/deep/file", "x"),
            .file("implicit/.wh.gone"), .node("null", type: "3", major: 1, minor: 3),
        ])
        try await StoreFixture.run { (store) async throws in
            var found: [[String]] = []
            for confinement in Confinement.allCases {
                let directory = store.directory + "/\(confinement)"
                try FileSystem.makeDirectories(directory)
                let source = try store.archive(archive)
                let unpacked = try stream(archive).unpack(
                    FileByteSource(try ArchiveFile(path: source, subject: "test")), into: directory,
                    jail: confinement.jail)
                try unpacked.finish(directory: directory, lowers: [], subject: "test")
                found.append(
                    [
                        "\(unpacked.bytes) \(unpacked.inodes) \(unpacked.opaqueRoot)",
                        "\(unpacked.whiteouts) \(unpacked.directoryTimes.map(\.path))",
                        "\(unpacked.implicitDirectories.values.sorted { $0.count < $1.count })",
                        "\(unpacked.opaqueDirectories.values.map { String(decoding: $0, as: UTF8.self) })",
                    ]
                        + (try ["set", "set/uid", "set/same", "link", "implicit", "implicit/deep", "null"].map { name in
                            let status = try store.status(directory + "/" + name)
                            return "\(name) \(status.st_mode) \(status.st_uid):\(status.st_gid) \(status.st_nlink) "
                                + "\(status.st_rdev)"
                        }))
            }
            #expect(found[0] == found[1])
            #expect(found[0][3] == #"["set"]"#)
        }
    }

    @Test("the process is gone, and nothing of it left, before the layer is used")
    func endsBeforeUse() async throws {
        let archive = TarWriter.archive([.file("a", "b")])
        try await StoreFixture.run { (store) async throws in
            let jail = try jail()
            jail.retain()
            defer { jail.release() }
            let child = try jail.start(
                UnpackRequest(
                    .layer(diffID: ContentDigest(of: archive), hasParent: false), limits: UnpackLimits(), subject: "x"),
                directory: try layer(store))
            try child.end()
            #expect(try child.reply(limit: 100).isEmpty)
            #expect(try archive.withUnsafeBytes { (bytes) throws in try child.send(bytes) } == false)
        }
    }

    @Test("too much processor time ends it, with the limit in the message")
    func limitsTime() async throws {
        var limits = UnpackLimits()
        limits.processorSeconds = -1
        let archive = TarWriter.archive([.file("a", "b")])
        try await StoreFixture.run { (store) async throws in
            let source = try store.archive(archive)
            let error = #expect(throws: ImageError.self) {
                try stream(archive, limits: limits).unpack(
                    FileByteSource(try ArchiveFile(path: source, subject: "test")), into: try layer(store),
                    jail: try jail())
            }
            #expect(error?.code == .limitExceeded)
            #expect(error?.message.contains("processor time") == true)
        }
    }

    @Test("without its program nothing is unpacked")
    func failsClosed() async throws {
        let archive = TarWriter.archive([.file("a", "b")])
        try await StoreFixture.run { (store) async throws in
            let directory = try layer(store)
            let source = try store.archive(archive)
            for program in ["/nonexistent", "/bin/true"] {
                let broken = UnpackJail(program: program, filter: try UnpackingFilter.program())
                let error = #expect(throws: ImageError.self) {
                    try stream(archive).unpack(
                        FileByteSource(try ArchiveFile(path: source, subject: "test")), into: directory, jail: broken)
                }
                #expect(error?.code == .storage)
                #expect(error?.message.contains("cannot be confined") == true)
            }
            #expect(try FileSystem.list(directory).isEmpty)
        }
    }

    // MARK: What a process that was taken over may say

    private func reply(_ fill: (inout JailEncoder) -> Void) -> UnpackReply? {
        var encoder = JailEncoder()
        fill(&encoder)
        return try? UnpackReply(decoding: encoder.bytes, limits: UnpackLimits(), subject: "layer")
    }

    private func layerReply(whiteout: String, bytes: Int64 = 1, inodes: Int64 = 1) -> UnpackReply? {
        reply { encoder in
            encoder.add(UInt8(1))
            encoder.add(bytes)
            encoder.add(inodes)
            encoder.add(false)
            encoder.add(UInt32(0))
            encoder.add(UInt32(0))
            encoder.add(UInt32(1))
            encoder.add(whiteout)
            encoder.add(UInt32(0))
        }
    }

    @Test("a claimed path only leads down, and a claimed number is within its limit")
    func refusesClaims() throws {
        #expect(layerReply(whiteout: "a/b") != nil)
        for path in [
            "..", "../a", "a/../b", "/a", "a/", "a//b", ".", "a/.", "", "a\0b", String(repeating: "n", count: 256),
        ] {
            #expect(layerReply(whiteout: path) == nil, "\(path)")
        }
        #expect(layerReply(whiteout: "a", bytes: -1) == nil)
        #expect(layerReply(whiteout: "a", bytes: .max) == nil)
        #expect(layerReply(whiteout: "a", inodes: -1) == nil)
        #expect(layerReply(whiteout: "a", inodes: 1_000_001) == nil)
    }

    @Test("a reply that is cut, longer than itself or announces what is not there is none")
    func refusesMalformed() throws {
        var layer = UnpackedLayer()
        layer.whiteouts = [Array("a".utf8)]
        let whole = UnpackReply.layer(layer).encoded()
        #expect((try? UnpackReply(decoding: whole, limits: UnpackLimits(), subject: "")) != nil)
        for count in 0..<whole.count {
            #expect((try? UnpackReply(decoding: Array(whole[..<count]), limits: UnpackLimits(), subject: "")) == nil)
        }
        #expect((try? UnpackReply(decoding: whole + [0], limits: UnpackLimits(), subject: "")) == nil)
        #expect(reply { $0.add(UInt8(9)) } == nil)
        #expect(
            reply { encoder in
                encoder.add(UInt8(3))
                encoder.add(UInt32.max)
            } == nil)
    }

    @Test("an error is one of unpacking, on one line, and of this layer")
    func limitsErrors() throws {
        func error(_ code: String, _ message: String) -> ImageError? {
            let reply = reply { encoder in
                encoder.add(UInt8(2))
                encoder.add(code)
                encoder.add(message)
            }
            guard case .failure(let error)? = reply else { return nil }
            return error
        }
        #expect(error("unsafePath", "layer: bad")?.message == "layer: bad")
        #expect(error("unsafePath", "all is well\n\u{1B}[2Jdone")?.message == "layer: all is well??[2Jdone")
        #expect(error("unauthorized", "layer: x") == nil)
        #expect(error("cancelled", "layer: x") == nil)
        #expect(error("unsafePath", String(repeating: "x", count: 5000)) == nil)
    }

    @Test("a request says the same on both sides")
    func requestRoundTrip() throws {
        var limits = UnpackLimits()
        limits.layerBytes = 7
        limits.processorSeconds = 8
        limits.stallSeconds = 9
        let request = UnpackRequest(
            .layer(diffID: ContentDigest(of: [1]), hasParent: true), limits: limits, subject: "archive \"x\", layer 1")
        #expect(try UnpackRequest(decoding: request.encoded()) == request)
        let attempts = UnpackRequest(.attempts, limits: UnpackLimits(), subject: "")
        #expect(try UnpackRequest(decoding: attempts.encoded()) == attempts)
        limits.importBytes = 10
        limits.documentBytes = 11
        limits.archiveEntries = 12
        for work in [UnpackRequest.Work.contents(sizeBytes: 13), .entries(sizeBytes: 14)] {
            let request = UnpackRequest(work, limits: limits, subject: "archive")
            #expect(try UnpackRequest(decoding: request.encoded()) == request)
        }
        #expect((try? UnpackRequest(decoding: [])) == nil)
    }
}
