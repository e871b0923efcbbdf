import LinuxKernel
import Testing

@testable import ContainerImages

@Suite("ImageUser")
struct ImageUserTests {
    static let passwd = """
        root:x:0:0:root:/root:/bin/sh
        app:x:1000:1001:App:/home/app:/bin/sh
        4294967296:x:0:0::/:/bin/sh
        0x0:x:0:0::/:/bin/sh
        bad:x:-1:0::/:/bin/sh
        broken line
        1000abc:x:7:7::/:/bin/sh
        relative:x:8:8::home:/bin/sh

        """
    static let group = """
        root:x:0:
        wheel:x:10:root,app
        app:x:1001:
        extra:x:2000:app
        huge:x:4294967295:app

        """

    private func withImage(
        _ layers: [[TarWriter.Entry]], _ body: ([String]) throws -> Void
    ) async throws {
        try await StoreFixture.run { (store) async throws in
            let image = try await store.importBytes(ImageFixture(layers).docker)[0]
            try body(await store.manager.layers(of: image))
        }
    }

    private static var base: [TarWriter.Entry] {
        [.directory("etc"), .file("etc/passwd", passwd), .file("etc/group", group)]
    }

    @Test("numbers and names resolve from the image's own databases")
    func resolves() async throws {
        try await withImage([Self.base]) { (lower) throws in
            func resolve(_ user: String) throws -> ImageUser {
                try ImageUser.resolve(user: user, lowerDirectories: lower)
            }
            let app = ImageUser(uid: 1000, gid: 1001, supplementaryGroups: [10, 2000], home: "/home/app")
            #expect(try resolve("") == ImageUser(uid: 0, gid: 0, supplementaryGroups: [10], home: "/root"))
            #expect(try resolve("0") == resolve("root"))
            #expect(try resolve("app") == app)
            #expect(try resolve("1000") == app)
            #expect(
                try resolve("app:wheel") == ImageUser(uid: 1000, gid: 10, supplementaryGroups: [], home: "/home/app"))
            #expect(try resolve("1000:77") == ImageUser(uid: 1000, gid: 77, supplementaryGroups: [], home: "/home/app"))
            #expect(try resolve("5") == ImageUser(uid: 5, gid: 0, supplementaryGroups: [], home: "/"))
            #expect(try resolve("4294967294").uid == 4_294_967_294)
            #expect(try resolve("1000abc").uid == 7)
            #expect(try resolve("relative").home == "/")
            #expect(try ImageUser.numericUID("1000:x") == 1000)
            #expect(try ImageUser.numericUID("") == 0)
            #expect(try ImageUser.numericUID("app") == nil)
        }
    }

    @Test(
        "what only looks like a number is refused, even where /etc/passwd has it as a name",
        arguments: [
            "4294967296", "4294967295", "-1", "+0", "0x0", "0X1f", "0o7", "00", "01000", "99999999999999999999",
            "1000:4294967296",
            "0:-1", "0: 0", " 0", "0 1000", "root\n", "a/b", "1000:",
        ])
    func refuses(_ user: String) async throws {
        try await withImage([Self.base]) { (lower) throws in
            let error = #expect(throws: ImageError.self) { try ImageUser.resolve(user: user, lowerDirectories: lower) }
            #expect(error?.code == .invalidUser)
        }
    }

    @Test("a name the image does not have is not found", arguments: ["nobody", "app:nogroup", "bad", "0:nogroup"])
    func reportsMissing(_ user: String) async throws {
        try await withImage([Self.base]) { (lower) throws in
            let error = #expect(throws: ImageError.self) { try ImageUser.resolve(user: user, lowerDirectories: lower) }
            #expect(error?.code == .notFound)
        }
    }

    @Test("the topmost layer's database counts, and a whiteout takes it away")
    func honoursLayers() async throws {
        try await withImage([Self.base, [.file("etc/passwd", "app:x:5:5::/app:/bin/sh\n")]]) { (lower) throws in
            #expect(try ImageUser.resolve(user: "app", lowerDirectories: lower).uid == 5)
        }
        try await withImage([Self.base, [.file("etc/.wh.passwd", "")]]) { (lower) throws in
            #expect(throws: ImageError.self) { try ImageUser.resolve(user: "app", lowerDirectories: lower) }
            #expect(try ImageUser.resolve(user: "1000", lowerDirectories: lower).gid == 0)
        }
        try await withImage([Self.base, [.directory("etc"), .file("etc/.wh..wh..opq", "")]]) { (lower) throws in
            #expect(throws: ImageError.self) { try ImageUser.resolve(user: "app", lowerDirectories: lower) }
        }
    }

    @Test("a link is followed inside the image, across layers, and never out of it")
    func followsLinksInside() async throws {
        try await withImage([
            [.directory("usr"), .directory("usr/etc"), .file("usr/etc/users", Self.passwd)],
            [.directory("etc"), .symbolicLink("etc/passwd", to: "../../../usr/etc/users")],
        ]) { (lower) throws in
            #expect(try ImageUser.resolve(user: "app", lowerDirectories: lower).uid == 1000)
        }
        try await withImage([[.symbolicLink("etc", to: "/proc/self/root/etc")]]) { (lower) throws in
            #expect(throws: ImageError.self) { try ImageUser.resolve(user: "root", lowerDirectories: lower) }
        }
    }

    @Test("a database that is no regular file of sane size is refused without being opened")
    func refusesStrangeFiles() async throws {
        let sparse = TarWriter.Entry(
            name: Array("etc/passwd".utf8),
            pax: [
                ("GNU.sparse.major", [0x30]), ("GNU.sparse.minor", [0x31]),
                ("GNU.sparse.size", Array("1073741824".utf8)),
                ("GNU.sparse.map", Array("0,0".utf8)),
            ])
        let strange: [TarWriter.Entry] = [
            .node("etc/passwd", type: "6"), .node("etc/passwd", type: "3", major: 1, minor: 5),
            .directory("etc/passwd"),
            .symbolicLink("etc/passwd", to: "passwd"), sparse,
        ]
        for entry in strange {
            try await withImage([[.directory("etc"), entry]]) { (lower) throws in
                #expect(throws: ImageError.self) { try ImageUser.resolve(user: "root", lowerDirectories: lower) }
            }
        }
    }

    @Test("the host's own root works as an image")
    func resolvesOnHost() throws {
        let root = try ImageUser.resolve(user: "root", lowerDirectories: RootFilesystem.host.lowerDirectories)
        #expect(root.uid == 0)
        #expect(root.home == "/root")
    }
}
