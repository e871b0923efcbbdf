import Glibc
import KubernetesAPI
import LinuxKernel
import Testing

@testable import ContainerImages

/// The breakouts that containerd's archive tests name (`TestBreakouts`), each told anew as layers of an image: nothing may come of one
/// outside the image's root, and inside either what its archive says or a refusal.
///
/// Where the other attacks by images are tested (A1 to A13 of the list of attacks):
///
/// | Attack | Tests |
/// |---|---|
/// | A1 paths that lead out | here, and `HostileLayerTests.paths`; conformance `images`, "an archive never writes outside its root" |
/// | A2 links written through | here, and `HostileLayerTests.links` |
/// | A3 hard links to the host | here, and `HostileLayerTests.links` |
/// | A4 whiteouts, overlayfs's own marks | here, and `HostileLayerTests.whiteouts` |
/// | A5 devices, attributes | `HostileLayerTests.nodes`; conformance `isolation` and `security_context` for what opening them gives |
/// | A6 bombs | `HostileLayerTests.enforcesLimits`, sparse file of 8 EiB; `CompressionBombTests`; `UnpackJailTests`, processor time |
/// | A7 blobs with wrong bytes | `HostileRegistryTests`, flipped bits, bodies too long; `ImageManagerTests`, truncated and wrong digests |
/// | A8 manifests that are read two ways, are too large or name paths | `HostileRegistryTests`, `ImageManagerTests`, `ImageReferenceTests` |
/// | A9 credentials and addresses of others | `HostileRegistryTests`, redirects, realms and a layer's own addresses |
/// | A10 a configuration that is more than data | `ImageManagerTests`, `refusesBadConfig`; here, labels |
/// | A11 users beyond numbers | `ImageUserTests`; conformance `security_context`, an image's USER |
/// | A12 databases of users that are none | `ImageUserTests`, no regular file of sane size |
/// | A13 private images for others | `ImagePullerTests` and `ImageAccess`; conformance `registry`, a private image |
@Suite("Breakouts")
struct BreakoutTests {
    struct Breakout: Sendable, CustomTestStringConvertible {
        /// What `root` must be like when the layers are not refused.
        typealias Look = @Sendable (_ root: String) throws -> Void

        let testDescription: String
        /// `nil`: the import succeeds.
        let refusal: ImageError.Code?
        let layers: [[TarWriter.Entry]]
        let look: Look

        init(
            _ name: String, _ refusal: ImageError.Code? = nil, _ layers: [TarWriter.Entry]...,
            look: @escaping Look = { _ in }
        ) {
            testDescription = name
            self.refusal = refusal
            self.layers = layers
            self.look = look
        }
    }

    static let breakouts: [Breakout] = symbolicLinks + hardLinks + overrides + whiteouts

    private static func has(_ path: String, _ text: String) -> Breakout.Look {
        { (root: String) throws in #expect(try FileSystem.readText(root + path) == text, "\(path)") }
    }

    /// Two names of one file.
    private static func same(_ first: String, _ second: String) -> Breakout.Look {
        { (root: String) throws in
            var files = [stat(), stat()]
            for (index, path) in [first, second].enumerated() {
                try kernelCall("lstat", path) { lstat(root + path, &files[index]) }
            }
            #expect(files[0].st_ino == files[1].st_ino, "\(first) and \(second)")
        }
    }

    private static let etc: [TarWriter.Entry] = [.directory("etc"), .file("etc/passwd", "inside")]

    private static let symbolicLinks: [Breakout] = [
        Breakout(
            "SymlinkAbsolute", nil,
            [.directory("etc"), .symbolicLink("way", to: "/etc"), .file("/way/unbroken", "inside")],
            look: has("/etc/unbroken", "inside")),
        Breakout(
            "SymlinkUpAndOut", nil,
            [
                .directory("etc"), .directory("stop"), .symbolicLink("way", to: "/stop/../etc"),
                .file("/way/unbroken", "inside"),
            ], look: has("/etc/unbroken", "inside")),
        Breakout(
            "SymlinkMultipleAbsolute", nil,
            [
                .directory("etc"), .directory("stop"), .symbolicLink("/stop/etc", to: "/etc"),
                .symbolicLink("way", to: "/stop/etc"), .file("/stop/etc/unbroken", "inside"),
                .file("/way/again", "inside"),
            ],
            look: has("/etc/again", "inside")),
        Breakout(
            "SymlinkMultipleRelative", nil,
            [
                .directory("etc"), .directory("stop"), .symbolicLink("/stop/etc", to: "/etc"),
                .symbolicLink("way", to: "./stop/etc"), .file("/stop/etc/unbroken", "inside"),
                .file("/way/again", "inside"),
            ],
            look: has("/etc/again", "inside")),
        Breakout(
            "SymlinkEmptyFile", nil,
            [
                .directory("etc"), .file("etc/emptied", "full"), .symbolicLink("way", to: "/etc"),
                .file("/way/emptied", ""),
            ], look: has("/etc/emptied", "")),
        Breakout("SymlinkParentDirectory", .unsafePath, etc + [.symbolicLink("..", to: "/etc/")]),
        Breakout("SymlinkEmptyFilename", .unsafePath, etc + [.symbolicLink("", to: "/etc/")]),
        Breakout("SymlinkParentRelative", .unsafePath, etc + [.symbolicLink("way/sub/..", to: "/etc/")]),
        Breakout(
            "SymlinkSlashEnded", nil, etc + [.directory("way/"), .hardLink("/way/passwd", to: "/etc/passwd")],
            look: same("/way/passwd", "/etc/passwd")),
    ]

    private static let hardLinks: [Breakout] = [
        Breakout(
            "HardlinkRelative", nil,
            etc + [
                .directory("out"), .symbolicLink("out/d", to: "../../etc"), .hardLink("out/mine", to: "/out/d/passwd"),
            ],
            look: same("/out/mine", "/etc/passwd")),
        Breakout(
            "HardlinkDownAndOut", nil,
            etc + [
                .directory("out"), .directory("down"), .symbolicLink("out/d", to: "../down/../../etc"),
                .hardLink("out/mine", to: "/out/d/passwd"),
            ],
            look: same("/out/mine", "/etc/passwd")),
        Breakout(
            "HardlinkAbsolute", nil,
            etc + [.symbolicLink("way", to: "/etc"), .hardLink("mine", to: "/way/passwd")],
            look: same("/mine", "/etc/passwd")),
        Breakout(
            "HardlinkRelativeLong", nil,
            etc + [.symbolicLink("way", to: "../../../../../../../etc"), .hardLink("mine", to: "/way/passwd")],
            look: same("/mine", "/etc/passwd")),
        Breakout(
            "HardlinkRelativeUpAndOut", .unsafePath,
            etc + [.symbolicLink("way", to: "up/../../../etc"), .hardLink("mine", to: "/way/passwd")]),
        Breakout("HardlinkDirectRelative", .unsafePath, etc + [.hardLink("mine", to: "../../../../../etc/passwd")]),
        Breakout(
            "HardlinkDirectAbsolute", nil, etc + [.hardLink("mine", to: "/etc/passwd")],
            look: same("/mine", "/etc/passwd")),
        Breakout(
            "HardlinkSymlinkBeforeCreateTarget", nil,
            [
                .directory("etc"), .symbolicLink("link", to: "/etc/passwd"), .hardLink("mine", to: "link"),
                .file("/etc/passwd", "after"),
            ],
            look: { (root: String) throws in
                #expect(FileSystem.linkTarget(root + "/mine") == "/etc/passwd")
                #expect(try FileSystem.readText(root + "/etc/passwd") == "after")
            }),
        Breakout(
            "HardlinkSymlinkRelative", nil,
            etc + [.symbolicLink("link", to: "../../../../../etc/passwd"), .hardLink("mine", to: "/link")],
            look: { (root: String) throws in
                #expect(FileSystem.linkTarget(root + "/mine") == "../../../../../etc/passwd")
            }),
        Breakout(
            "HardlinkSymlinkAbsolute", nil,
            etc + [.symbolicLink("link", to: "/etc/passwd"), .hardLink("mine", to: "/link")],
            look: { (root: String) throws in #expect(FileSystem.linkTarget(root + "/mine") == "/etc/passwd") }),
    ]

    private static let overrides: [Breakout] = [
        // Each layer is unpacked by itself: a link to what only a lower one has leads nowhere.
        Breakout(
            "SymlinkOverrideDirectory", .unsafePath, etc + [.directory("way")],
            [.symbolicLink("way", to: "/etc"), .file("/way/mine", "inside")]),
        Breakout(
            "SymlinkOverrideDirectoryRelative", .unsafePath, etc + [.directory("way")],
            [.symbolicLink("way", to: "../../etc"), .file("/way/mine", "inside")]),
        Breakout(
            "DirectoryOverrideSymlink", nil, etc + [.symbolicLink("way", to: "/etc")],
            [.directory("/way/"), .file("/way/mine", "own")],
            look: { (root: String) throws in
                #expect(try FileSystem.readText(root + "/way/mine") == "own")
                #expect(!FileSystem.exists(root + "/etc/mine"))
            }),
        Breakout(
            "DirectoryOverrideSymlinkAndHardlink", nil,
            etc + [.symbolicLink("way", to: "etc"), .hardLink("/etc/mine", to: "/etc/passwd")],
            [.directory("/way/"), .file("/way/mine", "different")],
            look: { (root: String) throws in
                #expect(try FileSystem.readText(root + "/way/mine") == "different")
                #expect(try FileSystem.readText(root + "/etc/mine") == "inside")
            }),
    ]

    private static let whiteouts: [Breakout] = [
        Breakout("WhiteoutRootParent", .unsafePath, etc, [.file(".wh...", "")]),
        Breakout("WhiteoutParent", .unsafePath, etc, [.file("etc/.wh...", "")]),
        Breakout("WhiteoutRoot", .unsafePath, etc, [.file(".wh..", "")]),
        Breakout("WhiteoutCurrentDirectory", .unsafePath, etc, [.file("etc/.wh..", "")]),
        Breakout(
            "WhiteoutSymlink", nil, etc + [.symbolicLink("way", to: "/etc")], [.file(".wh.way", "")],
            look: { (root: String) throws in
                #expect(FileSystem.linkTarget(root + "/way") == nil)
                #expect(try FileSystem.readText(root + "/etc/passwd") == "inside")
            }),
        // As overlayfs has it: a directory of this layer's comes in the place of the link, which nothing goes through.
        Breakout(
            "WhiteoutSymlinkPath", nil, etc + [.symbolicLink("way", to: "/etc")], [.file("way/.wh.passwd", "")],
            look: has("/etc/passwd", "inside")),
        Breakout("WhiteoutDirectoryName", .unsafePath, etc, [.file(".wh.etc/somefile", "full")]),
        Breakout(
            "WhiteoutDeadSymlinkParent", nil, etc + [.symbolicLink("way", to: "/none")], [.file("way/.wh.etc", "")],
            look: has("/etc/passwd", "inside")),
        Breakout("WhiteoutRelativePath", .unsafePath, etc, [.file("none/../.wh.etc", "")]),
    ]

    @Test("a breakout ends inside the image or is refused", arguments: breakouts, Confinement.allCases)
    func staysInside(_ breakout: Breakout, _ confinement: Confinement) async throws {
        try await StoreFixture.run(in: confinement) { (store) async throws in
            let before = try store.canary()
            let archive = ImageFixture(breakout.layers).docker
            let outcome = await Result { () async throws in try await store.importBytes(archive) }
            #expect(try store.canary() == before)
            switch (breakout.refusal, outcome) {
            case (let code?, .failure(let error as ImageError)):
                #expect(error.code == code, "\(error)")
                #expect(try store.stored().isEmpty)
            case (nil, .success(let images)):
                let image = try #require(images.first)
                try await store.mounted(image) { (root) throws in try breakout.look(root) }
            default:
                Issue.record("expected \(breakout.refusal?.description ?? "success"), got \(outcome)")
            }
            #expect(try store.canary() == before)
        }
    }

    /// `HardlinkSymlinkChmod`: its paths are those of files of the host.
    @Test(
        "HardlinkSymlinkChmod: a link named and aimed at files of the host changes neither",
        arguments: Confinement.allCases)
    func chmod(_ confinement: Confinement) async throws {
        try await StoreFixture.run(in: confinement) { (store) async throws in
            let before = try store.canary()
            let (file, link) = (store.host + "/canary", store.host + "/directory/inner")
            let images = try await store.importBytes(
                ImageFixture([[.symbolicLink(link, to: file), .hardLink("mine", to: link)]]).docker)
            try await store.mounted(try #require(images.first)) { (root) throws in
                #expect(FileSystem.linkTarget(root + "/mine") == file)
            }
            #expect(try store.canary() == before)
        }
    }

    @Test("labels that mean something to other runtimes are text like any other")
    func labels() async throws {
        let labels: [String: String] = [
            "containerd.io/restart.status": "running", "containerd.io/restart.loguri": "binary:///bin/sh?-c=id",
            "io.containerd.image.config": "x", "org.opencontainers.image.ref.name": "../../x",
        ]
        var fixture = ImageFixture([[.file("one")]])
        fixture.config = ["Labels": .object(labels.mapValues { .string($0) })]
        let archive = fixture.docker
        try await StoreFixture.run { (store) async throws in
            let image = try #require(try await store.importBytes(archive).first)
            #expect(image.config.labels == labels)
            #expect(image.names == ["docker.io/library/example:1"])
        }
    }
}

/// Streams that say little and mean much.
@Suite("Compression bombs")
struct CompressionBombTests {
    @Test("gzip of many members counts as the one stream that it is", arguments: Confinement.allCases)
    func members(_ confinement: Confinement) async throws {
        var limits = UnpackLimits()
        limits.layerBytes = 4 << 20
        try await StoreFixture.run(limits: limits, in: confinement) { (store) async throws in
            let tar = TarWriter.archive([.file("a")])
            let zeroes = TarWriter.compress([UInt8](repeating: 0, count: 1 << 20), .gzip)
            for (count, isRefused) in [(2, false), (8, true)] {
                // Zeroes behind the end of an archive are padding, and part of the layer's digest.
                let whole = tar + [UInt8](repeating: 0, count: count << 20)
                let packed = TarWriter.compress(tar, .gzip) + (0..<count).flatMap { _ in zeroes }
                let outcome = await Result { () async throws in
                    try await store.importBytes(Self.archive(layer: packed, diffID: ContentDigest(of: whole)))
                }
                guard isRefused else {
                    #expect(try outcome.get().count == 1)
                    try await store.manager.remove(reference: outcome.get()[0].id, inUse: [])
                    continue
                }
                guard case .failure(let error as ImageError) = outcome else {
                    Issue.record("\(outcome)")
                    continue
                }
                #expect(error.code == .limitExceeded, "\(error)")
                #expect(try store.stored().isEmpty)
            }
        }
    }

    @Test("zstd that wants a window of 2 GiB gets none", arguments: Confinement.allCases)
    func window(_ confinement: Confinement) async throws {
        // RFC 8878: magic, a header with a window of 2^31 bytes, then a last block of 2^17 repeated zeroes.
        let frame: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 21 << 3, 0x03, 0x00, 0x10, 0x00]
        let zeroes = [UInt8](repeating: 0, count: 1 << 17)
        try await StoreFixture.run(in: confinement) { (store) async throws in
            let error = await #expect(throws: ImageError.self) {
                try await store.importBytes(Self.archive(layer: frame, diffID: ContentDigest(of: zeroes)))
            }
            #expect(error?.code == .invalidArchive, "\(String(describing: error))")
            #expect(try store.stored().isEmpty)
        }
    }

    /// An image of one layer whose bytes are given.
    private static func archive(layer: [UInt8], diffID: ContentDigest) -> [UInt8] {
        var fixture = ImageFixture([[]])
        fixture.layers = [layer]
        fixture.diffIDs = ["\(diffID)"]
        return fixture.docker
    }
}
