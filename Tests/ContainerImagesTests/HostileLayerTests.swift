import Glibc
import LinuxKernel
import Testing

@testable import ContainerImages

/// Layers made to read, write, link or remove outside their root.
@Suite("Hostile layers")
struct HostileLayerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// `nil`: the import succeeds and everything stays inside.
        let refusal: ImageError.Code?
        /// Layers, bottom first, given the path of a host directory.
        let layers: @Sendable (_ host: String) -> [[TarWriter.Entry]]

        init(_ name: String, _ refusal: ImageError.Code?, _ layers: @escaping @Sendable (String) -> [[TarWriter.Entry]])
        {
            testDescription = name
            self.refusal = refusal
            self.layers = layers
        }
    }

    static let cases: [Case] = paths + links + whiteouts + nodes

    static let paths: [Case] = [
        Case("dot-dot path", .unsafePath) { _ in [[.file("../canary", "evil")]] },
        Case("many dot-dots", .unsafePath) { host in [[.file("../../../../../../../.." + host + "/canary", "evil")]] },
        Case("dot-dot inside", .unsafePath) { _ in [[.directory("a"), .file("a/../../x")]] },
        Case("dot-dot at the end", .unsafePath) { _ in [[.directory("a/..")]] },
        Case("dot-dot that would stay inside", .unsafePath) { _ in [[.directory("a"), .file("a/../b")]] },
        Case("dot-dot directory", .unsafePath) { _ in [[.directory("..", mode: 0o777)]] },
        Case("absolute path", nil) { host in [[.file(host + "/canary", "evil")]] },
        Case("many slashes", nil) { host in [[.file("////" + host + "//canary", "evil")]] },
        Case("dot path", nil) { host in [[.file("./././" + host + "/canary", "evil")]] },
        Case("root as file", .unsafePath) { _ in [[.file(".")]] },
        Case("root as symbolic link", .unsafePath) { host in [[.symbolicLink("/", to: host), .file("canary", "evil")]]
        },
        Case("root as hard link", .unsafePath) { _ in [[.hardLink("x", to: "/")]] },
        Case("path too long", .limitExceeded) { _ in
            [[.file((0..<100).map { _ in String(repeating: "d", count: 60) }.joined(separator: "/"))]]
        },
        Case("path too deep", .limitExceeded) { _ in [[.file((0..<300).map { _ in "d" }.joined(separator: "/"))]] },
        Case("name too long", .limitExceeded) { _ in [[.file(String(repeating: "n", count: 256))]] },
        Case("file as parent", .unsafePath) { _ in [[.file("a"), .file("a/b")]] },
    ]

    static let links: [Case] = [
        Case("write through an absolute link", .unsafePath) { host in
            [[.symbolicLink("l", to: host), .file("l/canary", "evil")]]
        },
        Case("write through a relative link", .unsafePath) { host in
            [[.symbolicLink("l", to: "../../../../../../../.." + host), .file("l/canary", "evil")]]
        },
        Case("write through a link to the root", nil) { _ in [[.symbolicLink("l", to: "/"), .file("l/tmp-x", "stays")]]
        },
        Case("write through /proc/self/root", .unsafePath) { host in
            [[.symbolicLink("l", to: "/proc/self/root" + host), .file("l/canary", "evil")]]
        },
        Case("write onto a link", nil) { host in [[.symbolicLink("l", to: host + "/canary"), .file("l", "evil")]] },
        Case("directory onto a link", nil) { host in
            [[.symbolicLink("l", to: host), .directory("l", mode: 0o777), .file("l/canary", "evil")]]
        },
        Case("chain of 41 links", .unsafePath) { _ in
            [
                [.directory("end")] + (0..<41).map { .symbolicLink("l\($0)", to: $0 == 0 ? "end" : "l\($0 - 1)") } + [
                    .file("l40/x")
                ]
            ]
        },
        Case("link to itself", .unsafePath) { _ in [[.symbolicLink("l", to: "l"), .file("l/x")]] },
        Case("directory replaced by a link in the same layer", .unsafePath) { host in
            [[.directory("d"), .file("d/a"), .symbolicLink("d", to: host), .file("d/canary", "evil")]]
        },
        Case("directory replaced by a link in a later layer", nil) { host in
            [[.directory("d"), .file("d/a")], [.symbolicLink("d", to: host)], [.file("d/canary", "evil")]]
        },
        Case("link in a lower layer, whiteout through it", nil) { host in
            [[.symbolicLink("d", to: host)], [.file("d/.wh.canary", "")]]
        },
        Case("hard link to a host file", .unsafePath) { host in [[.hardLink("h", to: host + "/canary")]] },
        Case("hard link to /etc/shadow, then chmod", .unsafePath) { _ in
            [[.hardLink("h", to: "/etc/shadow"), .file("h", "", mode: 0o4777)]]
        },
        Case("hard link with dot-dot", .unsafePath) { host in
            [[.hardLink("h", to: "../../../../../.." + host + "/canary")]]
        },
        Case("hard link through a link", .unsafePath) { host in
            [[.symbolicLink("l", to: host), .hardLink("h", to: "l/canary")]]
        },
        Case("hard link to a link, then a setuid file of its name", nil) { host in
            [[.symbolicLink("l", to: host + "/canary"), .hardLink("h", to: "l"), .file("h", "evil", mode: 0o4777)]]
        },
        Case("hard link to a directory", .unsafePath) { _ in [[.directory("d"), .hardLink("h", to: "d")]] },
        Case("hard link to a missing file", .unsafePath) { _ in [[.hardLink("h", to: "nothing")]] },
        Case("hard link below what it replaces", .unsafePath) { _ in
            [[.directory("d"), .file("d/f"), .hardLink("d", to: "d/f")]]
        },
        Case("empty link target", .invalidArchive) { _ in [[.symbolicLink("l", to: "")]] },
    ]

    static let whiteouts: [Case] = [
        Case("whiteout of nothing", .unsafePath) { _ in [[.file("a")], [.file(".wh.")]] },
        Case("whiteout of the directory itself", .unsafePath) { _ in [[.file("a")], [.file("d/.wh..")]] },
        Case("whiteout of the parent", .unsafePath) { _ in [[.file("a")], [.file("d/.wh...")]] },
        Case("whiteout as parent", .unsafePath) { _ in [[.file("a")], [.file(".wh.a/b")]] },
        Case("whiteout through a link in its layer", .unsafePath) { host in
            [[.file("a")], [.symbolicLink("l", to: host), .file("l/.wh.canary")]]
        },
        Case("opaque through a link in its layer", .unsafePath) { host in
            [[.file("a")], [.symbolicLink("l", to: host), .file("l/.wh..wh..opq")]]
        },
        Case("hard link to a whiteout", .unsafePath) { _ in [[.file("a")], [.file(".wh.a"), .hardLink("h", to: "a")]] },
        Case("raw whiteout device", .unsafePath) { _ in [[.file("a")], [.node("a", type: "3")]] },
        Case("opaque attribute", .unsafePath) { _ in
            [[TarWriter.Entry(name: Array("d".utf8), type: "5", attributes: [("trusted.overlay.opaque", [0x79])])]]
        },
        Case("redirect attribute", .unsafePath) { host in
            [
                [
                    TarWriter.Entry(
                        name: Array("d".utf8), type: "5", attributes: [("trusted.overlay.redirect", Array(host.utf8))])
                ]
            ]
        },
        Case("metacopy attribute on a node", .unsafePath) { _ in
            [[TarWriter.Entry(name: Array("d".utf8), type: "6", attributes: [("trusted.overlay.metacopy", [])])]]
        },
        Case("user overlay attribute", .unsafePath) { _ in
            [[TarWriter.Entry(name: Array("f".utf8), attributes: [("user.overlay.opaque", [0x79])])]]
        },
    ]

    static let nodes: [Case] = [
        Case("devices, FIFO and socket", nil) { _ in
            [
                [
                    .node("sda", type: "4", major: 8, minor: 0), .node("mem", type: "3", major: 1, minor: 1),
                    .node("fifo", type: "6"),
                ]
            ]
        },
        Case("10,000 attributes", .limitExceeded) { _ in
            let attributes = (0..<10_000).map { (name: "user.a\($0)", value: [UInt8](repeating: 1, count: 4)) }
            return [[TarWriter.Entry(name: Array("f".utf8), attributes: attributes)]]
        },
        Case("64 KiB attribute", .limitExceeded) { _ in
            [[TarWriter.Entry(name: Array("f".utf8), attributes: [("user.a", [UInt8](repeating: 1, count: 65536))])]]
        },
        Case("owner that means unchanged", .invalidArchive) { _ in
            [[TarWriter.Entry(name: Array("f".utf8), pax: [("uid", Array("4294967295".utf8))])]]
        },
        Case("sparse file of 8 EiB", .limitExceeded) { _ in
            let size = Array("9223372036854775807".utf8)
            return [
                [
                    TarWriter.Entry(
                        name: Array("f".utf8),
                        pax: [
                            ("GNU.sparse.major", [0x30]), ("GNU.sparse.minor", [0x31]), ("GNU.sparse.size", size),
                            ("GNU.sparse.map", Array("0,0".utf8)),
                        ])
                ]
            ]
        },
    ]

    @Test("no path of an archive leaves its root", arguments: cases, Confinement.allCases)
    func staysInside(_ hostile: Case, _ confinement: Confinement) async throws {
        try await StoreFixture.run(in: confinement) { (store) async throws in
            let before = try store.canary()
            let archive = ImageFixture(hostile.layers(store.host)).docker
            let outcome = await Result { () async throws in try await store.importBytes(archive) }
            #expect(try store.canary() == before)
            switch (hostile.refusal, outcome) {
            case (let code?, .failure(let error as ImageError)):
                #expect(error.code == code, "\(error)")
                #expect(!error.message.contains("\n"))
                #expect(try store.stored().isEmpty)
                #expect(await store.manager.list().isEmpty)
            case (nil, .success(let images)):
                #expect(images.count == 1)
                if let image = images.first {
                    try await store.mounted(image) { (root) throws in _ = try FileSystem.list(root) }
                    #expect(try store.canary() == before)
                    try await store.manager.remove(reference: image.id, inUse: [])
                    #expect(try store.stored().isEmpty)
                }
            default:
                Issue.record("expected \(hostile.refusal?.description ?? "success"), got \(outcome)")
            }
            #expect(try store.canary() == before)
        }
    }

    @Test("layers, files and bytes beyond the limits end the import and leave nothing", arguments: Confinement.allCases)
    func enforcesLimits(_ confinement: Confinement) async throws {
        var limits = UnpackLimits()
        limits.layerBytes = 1 << 20
        limits.layerInodes = 100
        limits.importBytes = 1 << 21
        limits.layers = 4
        limits.rememberedPathBytes = 4096
        try await StoreFixture.run(limits: limits, in: confinement) { (store) async throws in
            let big = TarWriter.Entry(name: Array("big".utf8), content: [UInt8](repeating: 0, count: 700_000))
            let padding = TarWriter.archive([.file("a")]) + [UInt8](repeating: 0, count: 2 << 20)
            var bomb = ImageFixture([[]])
            bomb.layers = [padding]
            bomb.compression = .gzip
            let archives: [[UInt8]] = [
                ImageFixture([[big, TarWriter.Entry(name: [0x62], content: big.content)]]).docker,
                ImageFixture([(0...100).map { .file("f\($0)") }]).docker,
                ImageFixture((0...4).map { [.file("f\($0)")] }).docker,
                ImageFixture(
                    (0..<4).map { layer in [TarWriter.Entry(name: Array("b\(layer)".utf8), content: big.content)] }
                ).docker,
                ImageFixture([(0..<90).map { .directory("directory\($0)") }]).docker,
                bomb.docker,
            ]
            for archive in archives {
                let error = await #expect(throws: ImageError.self) { try await store.importBytes(archive) }
                #expect(error?.code == .limitExceeded, "\(String(describing: error))")
                #expect(try store.stored().isEmpty)
            }
        }
    }
}

extension Result where Failure == any Error {
    init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
