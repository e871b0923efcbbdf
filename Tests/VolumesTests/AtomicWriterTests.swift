import CLinux
import Glibc
import KubernetesAPI
import LinuxKernel
import Synchronization
import SystemPackage
import Testing

@testable import Volumes

@Suite struct AtomicWriterTests {
    private func file(_ path: String, _ text: String, mode: UInt32 = 0o644) -> VolumeFile {
        VolumeFile(path: path, bytes: Array(text.utf8), mode: mode)
    }

    private func withDirectory(_ body: (String, AtomicWriter) throws -> Void) throws {
        var template = Array("/tmp/swiftlet-writer-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw KernelError.last("mkdtemp") }
        let path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { #expect(throws: Never.self) { try FileSystem.removeTree(path) } }
        try body(path, AtomicWriter(directory: path, groupID: nil))
    }

    @Test("files appear through ..data, nested ones through their first component")
    func layout() throws {
        try withDirectory { (directory, writer) throws in
            #expect(try writer.write([file("a", "1"), file("d/e/f", "2", mode: 0o400), file("d/g", "3")]))
            let version = try #require(try OwnedDescriptor.open(directory, O_RDONLY).readLink("..data"))
            #expect(version.wholeMatch(of: /\.\.\d{4}_\d\d_\d\d_\d\d_\d\d_\d\d\.\d+/) != nil)
            #expect(try FileSystem.list(directory) == ["..data", version, "a", "d"].sorted())
            #expect(try OwnedDescriptor.open(directory, O_RDONLY).readLink("d") == "..data/d")
            #expect(try FileSystem.readText(directory + "/d/e/f") == "2")
            #expect(try mode(directory + "/" + version + "/d/e/f") == 0o400)
            #expect(try mode(directory + "/" + version + "/d/e") == 0o755)
        }
    }

    @Test("the same files again write nothing")
    func unchanged() throws {
        try withDirectory { (directory, writer) throws in
            let files = [file("a", "1"), file("d/b", "2")]
            #expect(try writer.write(files))
            let before = try FileSystem.list(directory)
            #expect(try !writer.write(files))
            #expect(try FileSystem.list(directory) == before)
        }
    }

    @Test(
        "any difference is written", arguments: [[("a", "2", 0o644)], [("a", "1", 0o600)], [("b", "1", 0o644)], []])
    func changed(_ next: [(String, String, Int)]) throws {
        try withDirectory { (directory, writer) throws in
            try writer.write([file("a", "1")])
            #expect(try writer.write(next.map { file($0.0, $0.1, mode: UInt32($0.2)) }))
            let names = try FileSystem.list(directory).filter { !$0.hasPrefix("..") }
            #expect(names == next.map(\.0))
            for entry in next {
                #expect(try FileSystem.readText(directory + "/" + entry.0) == entry.1)
                var status = stat()
                #expect(stat(directory + "/" + entry.0, &status) == 0)
                #expect(Int(status.st_mode & 0o7777) == entry.2)
            }
            #expect(try FileSystem.list(directory).count { $0.hasPrefix("..") } == 2, "an old version was left")
        }
    }

    @Test("a file that stays as it is keeps its inode, one that changes does not, and what is open stays as it was")
    func shared() throws {
        try withDirectory { (directory, writer) throws in
            try writer.write([file("a", "1"), file("d/b", "2"), file("d/c", "3")])
            let before = try ["a", "d/b", "d/c"].map { try inode(directory + "/" + $0) }
            let open = try OwnedDescriptor.open(directory + "/a", O_RDONLY)
            try writer.write([file("a", "9"), file("d/b", "2"), file("d/c", "3", mode: 0o600), file("e", "2")])
            let after = try ["a", "d/b", "d/c"].map { try inode(directory + "/" + $0) }
            #expect(after[0] != before[0] && after[1] == before[1] && after[2] != before[2])
            #expect(try FileSystem.readText(directory + "/d/b") == "2")
            #expect(try open.readAll(limit: 10) == Array("1".utf8))
            var status = stat()
            #expect(stat(directory + "/d/b", &status) == 0 && status.st_nlink == 1, "the old version is gone")
        }
    }

    @Test("however many of many files change, all are as wanted afterwards", arguments: [0, 1, 16, 40, 99, 100])
    func many(changed: Int) throws {
        try withDirectory { (directory, writer) throws in
            let names = (0..<100).map { "f\($0)" }
            try writer.write(names.map { file($0, "old") })
            let texts = (0..<100).map { $0 < changed ? "new" : "old" }
            let wanted = Dictionary(uniqueKeysWithValues: zip(names, texts))
            #expect(try writer.write(wanted.map { file($0, $1) }) == (changed > 0))
            for (name, text) in wanted { #expect(try FileSystem.readText(directory + "/" + name) == text) }
        }
    }

    private func inode(_ path: String) throws -> ino_t {
        var status = stat()
        guard stat(path, &status) == 0 else { throw KernelError.last("stat", path) }
        return status.st_ino
    }

    @Test(
        "paths that leave the volume, hide its bookkeeping or are too long are refused",
        arguments: [
            "../x", "/x", "a/../../x", "..data", "..data/x", "..2026", "", ".", "a\0b",
            String(repeating: "n", count: 256), String(repeating: "d/", count: 200) + "x",
        ])
    func refusedPaths(_ path: String) throws {
        try withDirectory { (directory, writer) throws in
            #expect { try writer.write([file(path, "evil")]) } throws: { ($0 as? VolumeError)?.code == .unsafePath }
            #expect(try FileSystem.list(directory) == [])
        }
    }

    @Test("a path cannot be a file and a directory")
    func contradiction() throws {
        try withDirectory { (directory, writer) throws in
            #expect { try writer.write([file("a", "1"), file("a/b/c", "2")]) } throws: {
                ($0 as? VolumeError)?.code == .invalid
            }
        }
    }

    @Test("a write killed at any point is finished and cleaned up by the next")
    func recovery() throws {
        try withDirectory { (directory, writer) throws in
            try writer.write([file("a", "1"), file("gone", "1")])
            // Killed before the rename: a version and the link that was to replace ..data.
            try FileSystem.makeDirectories(directory + "/..2020_01_01_00_00_00.1/x")
            #expect(symlink("..2020_01_01_00_00_00.1", directory + "/..data_tmp") == 0)
            // Killed after it: links missing, stale and wrong.
            #expect(unlink(directory + "/a") == 0)
            #expect(symlink("..data/old", directory + "/old") == 0)
            try writer.write([file("a", "1"), file("gone", "1")])
            let names = try FileSystem.list(directory)
            #expect(names.filter { !$0.hasPrefix("..") } == ["a", "gone"])
            #expect(names.count { $0.hasPrefix("..") } == 2)
            #expect(try FileSystem.readText(directory + "/a") == "1")
        }
    }

    @Test("a ..data link that leads elsewhere is replaced, and what it led to stays")
    func hostileDataLink() throws {
        try withDirectory { (directory, writer) throws in
            try FileSystem.makeDirectories(directory + "/inner")
            try FileSystem.makeDirectories(directory + "/canary/kept")
            #expect(symlink("../canary", directory + "/inner/..data") == 0)
            try AtomicWriter(directory: directory + "/inner", groupID: nil).write([file("a", "1")])
            #expect(try FileSystem.readText(directory + "/inner/a") == "1")
            #expect(try FileSystem.list(directory + "/canary") == ["kept"])
        }
    }

    @Test("a directory that another volume is mounted on stays")
    func nestedMountPoint() throws {
        try withDirectory { (directory, writer) throws in
            try FileSystem.makeDirectories(directory + "/nested")
            try writer.write([file("a", "1")])
            #expect(try FileSystem.list(directory).contains("nested"))
        }
    }

    @Test("with a group, it owns everything and can read it", .enabled(if: isRoot, needsRoot))
    func group() throws {
        try withDirectory { (directory, _) throws in
            let writer = AtomicWriter(directory: directory, groupID: 4242)
            #expect(try writer.write([file("d/a", "1", mode: 0o400)]))
            #expect(try !writer.write([file("d/a", "1", mode: 0o400)]))
            for path in ["/..data", "/d", "/..data/d", "/..data/d/a"] {
                #expect(try fileStatus(directory + path).st_gid == 4242)
            }
            #expect(try mode(directory + "/..data/d/a") == 0o440)
            #expect(try mode(directory + "/..data/d") == 0o2755)
            #expect(try AtomicWriter(directory: directory, groupID: nil).write([file("d/a", "1", mode: 0o400)]))
        }
    }

    @Test("a reader that opens ..data never sees a mix of versions")
    func noMix() async throws {
        var template = Array("/tmp/swiftlet-writer-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw KernelError.last("mkdtemp") }
        let path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { #expect(throws: Never.self) { try FileSystem.removeTree(path) } }
        let names = (0..<5).map { "file-\($0)" }
        let progress = Progress()
        let writer = AtomicWriter(directory: path, groupID: nil)
        try writer.write(names.map { file($0, "0") })
        let pool = KernelThreadPool(threads: 2)
        async let reading: Void = pool.run { () throws(KernelError) in
            var observed: Set<String> = []
            while !progress.isDone.load(ordering: .acquiring) {
                let texts: Set<String>
                do throws(KernelError) { texts = try Self.read(names, of: path) } catch {
                    progress.isDone.store(true, ordering: .releasing)
                    throw error
                }
                #expect(texts.count <= 1, "a reader saw \(texts)")
                observed.formUnion(texts)
                progress.seen.store(observed.count, ordering: .releasing)
            }
        }
        async let writing: Void = pool.run { () throws(VolumeError) in
            defer { progress.isDone.store(true, ordering: .releasing) }
            var round = 0
            while progress.seen.load(ordering: .acquiring) < 50, !progress.isDone.load(ordering: .acquiring) {
                round += 1
                try writer.write(names.map { VolumeFile(path: $0, bytes: Array("\(round)".utf8), mode: 0o644) })
            }
        }
        _ = try await (reading, writing)
        #expect(progress.seen.load(ordering: .acquiring) >= 50, "the reader never ran beside the writer")
    }

    /// Of the version that is current now; nothing of one that goes away meanwhile.
    private static func read(_ names: [String], of path: String) throws(KernelError) -> Set<String> {
        do throws(KernelError) {
            let version = try OwnedDescriptor.open(path + "/..data", O_RDONLY | O_DIRECTORY)
            return Set(names.compactMap { read($0, in: version) })
        } catch {
            // The kernel follows a link in two steps, and the version went between them.
            if error.errno == .noSuchFileOrDirectory { return [] }
            throw error
        }
    }

    private static func read(_ name: String, in directory: borrowing OwnedDescriptor) -> String? {
        guard let file = try? directory.open(name, O_RDONLY), let bytes = try? file.readAll() else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// How far two threads of a test are.
private final class Progress: Sendable {
    let seen = Atomic(0)
    let isDone = Atomic(false)
}
