import CLinux
import Glibc
import LinuxKernel
import Testing

@testable import ContainerImages

@Suite("LayerUnpacker")
struct LayerUnpackerTests {
    private func diff(_ store: StoreFixture, _ image: StoredImage) async throws -> String {
        try #require(await store.manager.layers(of: image).first)
    }

    private func attribute(_ path: String, _ name: String) throws -> [UInt8]? {
        let file = try OwnedDescriptor.open(path, O_RDONLY)
        var value = [UInt8](repeating: 0, count: 256)
        let count = CLinux_fgetxattr(file.raw, name, &value, value.count)
        return count < 0 ? nil : Array(value[..<count])
    }

    @Test("owner, mode, times, attributes, links, nodes and holes are as the archive says")
    func keepsMetadata() async throws {
        let capability: [UInt8] = [0x01, 0, 0, 0x02, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        var ping = TarWriter.Entry.file("bin/ping", "elf", mode: 0o4755)
        ping.uid = 1000
        ping.gid = 424_242
        ping.attributes = [
            ("security.capability", capability), ("user.note", Array("hi".utf8)), ("security.selinux", [0x78]),
        ]
        ping.pax = [("mtime", Array("1600000000.123456789".utf8))]
        let sparse = TarWriter.Entry(
            name: Array("sparse".utf8), content: Array("data".utf8),
            pax: [
                ("GNU.sparse.major", [0x30]), ("GNU.sparse.minor", [0x31]), ("GNU.sparse.size", Array("1048580".utf8)),
                ("GNU.sparse.map", Array("1048576,4".utf8)),
            ])
        var directory = TarWriter.Entry.directory("bin/", mode: 0o1777)
        directory.modified = 1_500_000_000
        try await StoreFixture.run { (store) async throws in
            let image = try await store.importBytes(
                ImageFixture([
                    [
                        directory, ping, .hardLink("bin/ping6", to: "/bin/ping"),
                        .symbolicLink("bin/sh", to: "../../../etc/passwd"),
                        .node("null", type: "3", major: 1, minor: 3), .node("fifo", type: "6"), sparse,
                        TarWriter.Entry(name: [0x63, 0xE9, 0x0A, 0x66], content: [1]),
                    ]
                ]).docker)[0]
            let root = try await diff(store, image)
            let status = try store.status(root + "/bin/ping")
            #expect(status.st_mode == S_IFREG | 0o4755)
            #expect(status.st_uid == 1000)
            #expect(status.st_gid == 424_242)
            #expect(status.st_mtim.tv_sec == 1_600_000_000)
            #expect(status.st_mtim.tv_nsec == 123_456_789)
            #expect(status.st_nlink == 2)
            #expect(try attribute(root + "/bin/ping", "security.capability") == capability)
            #expect(try attribute(root + "/bin/ping", "user.note") == Array("hi".utf8))
            #expect(try attribute(root + "/bin/ping", "security.selinux") == nil)
            #expect(try store.status(root + "/bin").st_mode == S_IFDIR | 0o1777)
            #expect(try store.status(root + "/bin").st_mtim.tv_sec == 1_500_000_000)
            #expect(
                try LayerDirectory.symbolicLinkTarget(AT_FDCWD, Array((root + "/bin/sh").utf8))
                    == Array("../../../etc/passwd".utf8))
            #expect(try store.status(root + "/null").st_rdev == CLinux_makedev(1, 3))
            #expect(try store.status(root + "/fifo").st_mode & S_IFMT == S_IFIFO)
            #expect(try store.status(root + "/sparse").st_size == 1_048_580)
            #expect(try FileSystem.read(root + "/sparse", limit: 2 << 20).suffix(5) == [0] + Array("data".utf8))
            let names = try LayerDirectory.names(try OwnedDescriptor.open(root, O_RDONLY | O_DIRECTORY))
            #expect(names.contains([0x63, 0xE9, 0x0A, 0x66]))
            #expect(image.sizeBytes > 1_048_580)
            try await store.manager.remove(reference: image.id, inUse: [])
            #expect(try store.stored().isEmpty)
        }
    }

    @Test("a later entry replaces an earlier one of any type")
    func laterEntryWins() async throws {
        try await StoreFixture.run { (store) async throws in
            let image = try await store.importBytes(
                ImageFixture([
                    [
                        .directory("a"), .directory("a/b"), .file("a/b/c"), .file("a", "file now"),
                        .file("f", "old"), .directory("f"), .file("f/inner", "new"),
                        .file("g", "one"), .file("g", "two"), .hardLink("g", to: "g"),
                        .symbolicLink("s", to: "/nowhere"), .directory("s"), .file("s/x", "in s"),
                    ]
                ]).docker)[0]
            let root = try await diff(store, image)
            #expect(try FileSystem.readText(root + "/a") == "file now")
            #expect(try FileSystem.readText(root + "/f/inner") == "new")
            #expect(try FileSystem.readText(root + "/g") == "two")
            #expect(try FileSystem.readText(root + "/s/x") == "in s")
        }
    }

    @Test("a mounted image shows whiteouts, opaque directories and replacements as OCI defines them")
    func mountsCorrectly() async throws {
        let bottom: [TarWriter.Entry] = [
            .directory("etc"), .file("etc/gone"), .file("etc/kept", "kept"), .directory("opaque"), .file("opaque/old"),
            .directory("tree"), .file("tree/old"), .directory("both"), .file("both/old"),
            .directory("sticky", mode: 0o1777),
            .file("sticky/a"), .directory("swap"), .file("swap/old"), .file(".wh.nothing-below", ""),
        ]
        let top: [TarWriter.Entry] = [
            .file("etc/.wh.gone", ""), .directory("opaque"), .file("opaque/.wh..wh..opq", ""),
            .file("opaque/new", "new"),
            .file(".wh.tree", ""), .file("etc/.wh.never-was", ""),
            // Both orders of a whiteout and the entry that replaces what it hides.
            .file(".wh.both", ""), .directory("both"), .file("both/new", "new"),
            .directory("swap"), .file("swap/new", "new"), .file(".wh.swap", ""),
            // No entry for sticky/: its mode must stay the lower one's.
            .file("sticky/b", "b"), .directory("fresh"), .file("fresh/.wh.x", ""), .file(".wh..wh.aufs", ""),
        ]
        try await StoreFixture.run { (store) async throws in
            let image = try await store.importBytes(ImageFixture([bottom, top]).docker)[0]
            try await store.mounted(image) { (root) throws in
                #expect(try FileSystem.list(root) == ["both", "etc", "fresh", "opaque", "sticky", "swap"])
                #expect(try FileSystem.list(root + "/etc") == ["kept"])
                #expect(try FileSystem.list(root + "/opaque") == ["new"])
                #expect(try FileSystem.list(root + "/both") == ["new"])
                #expect(try FileSystem.list(root + "/swap") == ["new"])
                #expect(try FileSystem.list(root + "/sticky") == ["a", "b"])
                #expect(try FileSystem.list(root + "/fresh").isEmpty)
                #expect(try store.status(root + "/sticky").st_mode == S_IFDIR | 0o1777)
            }
        }
    }

    @Test("an opaque root hides all layers below")
    func honoursOpaqueRoot() async throws {
        try await StoreFixture.run { (store) async throws in
            let image = try await store.importBytes(
                ImageFixture([[.file("old")], [.file(".wh..wh..opq", ""), .file("new")], [.file("newer")]]).docker)[0]
            #expect(await store.manager.layers(of: image).count == 2)
            try await store.mounted(image) { (root) throws in #expect(try FileSystem.list(root) == ["new", "newer"]) }
            // The same after a restart, from what is on disk.
            let again = ImageManager(root: store.root)
            try await again.start()
            #expect(await again.layers(of: image).count == 2)
        }
    }

    @Test("a tree nested deeper than any path or descriptor table is made and removed")
    func removesDeepTrees() async throws {
        var entries: [TarWriter.Entry] = []
        var base = ""
        for hop in 0..<20 {
            let deep = (0..<100).map { _ in "d" }.joined(separator: "/")
            entries.append(.directory(base + deep))
            // A relative link inside each deep directory's root hops on without a long path.
            entries.append(.symbolicLink("hop\(hop)", to: base + deep))
            base = "hop\(hop)/"
        }
        entries.append(.file(base + "end"))
        try await StoreFixture.run { (store) async throws in
            let image = try await store.importBytes(ImageFixture([entries]).docker)[0]
            try await store.manager.remove(reference: image.id, inUse: [])
            #expect(try store.stored().isEmpty)
        }
    }
}
