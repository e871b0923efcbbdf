import Glibc
import Testing

@testable import LinuxKernel

@Suite("Disk usage of trees")
struct DiskUsageTests {
    /// A directory of its own, on a file system that allocates at least one block for a file with content.
    private static func withDirectory(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/swiftlet-disk-usage-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
        }
        let directory = try #require(made)
        defer { try? FileSystem.removeTree(directory) }
        try body(directory)
    }

    private static func write(_ path: String, bytes: Int) throws {
        let file = try OwnedDescriptor.open(path, O_WRONLY | O_CREAT, mode: 0o600)
        try file.writeAll([UInt8](repeating: 7, count: bytes))
        try kernelCall("fsync") { fsync(file.raw) }
    }

    /// What du(1) would say of one entry.
    private static func allocated(_ path: String) throws -> UInt64 {
        var status = stat()
        try kernelCall("lstat", path) { lstat(path, &status) }
        return UInt64(status.st_blocks) * 512
    }

    @Test("files, directories and links count once each, whatever names they have")
    func counts() throws {
        try Self.withDirectory { top in
            try FileSystem.makeDirectories(top + "/a/b")
            try Self.write(top + "/a/b/large", bytes: 300_000)
            try kernelCall("link") { link(top + "/a/b/large", top + "/a/again") }
            try kernelCall("symlink") { symlink("/usr", top + "/a/outside") }
            let usage = DiskUsage.measure([top])
            // top, a, b, large (twice named), outside
            #expect(usage.inodes == 5)
            #expect(usage.isComplete)
            let paths = [top, top + "/a", top + "/a/b", top + "/a/b/large", top + "/a/outside"]
            #expect(try usage.bytes == paths.map(Self.allocated).reduce(0, +))
            #expect(usage.bytes >= 300_000)
        }
    }

    @Test("one inode in two of the measured trees counts once; a file may be a tree; what is absent takes nothing")
    func severalTrees() throws {
        try Self.withDirectory { top in
            try FileSystem.makeDirectories(top + "/one")
            try FileSystem.makeDirectories(top + "/two")
            try Self.write(top + "/one/file", bytes: 10)
            try kernelCall("link") { link(top + "/one/file", top + "/two/file") }
            #expect(DiskUsage.measure([top + "/one", top + "/two"]).inodes == 3)
            #expect(DiskUsage.measure([top + "/one/file"]).inodes == 1)
            #expect(DiskUsage.measure([top + "/none"]) == DiskUsage())
        }
    }

    @Test("a hole in a file takes no space")
    func sparse() throws {
        try Self.withDirectory { top in
            let file = try OwnedDescriptor.open(top + "/sparse", O_WRONLY | O_CREAT, mode: 0o600)
            try kernelCall("ftruncate") { ftruncate(file.raw, 1 << 30) }
            #expect(DiskUsage.measure([top]).bytes < 1 << 20)
        }
    }

    @Test("a tree deeper than any path may be long is walked to its end")
    func deep() throws {
        try Self.withDirectory { top in
            let depth = 600
            let name = String(repeating: "d", count: 20)
            var place = try OwnedDescriptor.open(top, O_RDONLY | O_DIRECTORY)
            for _ in 0..<depth {
                try kernelCall("mkdirat") { mkdirat(place.raw, name, 0o700) }
                place = try place.open(name, O_RDONLY | O_DIRECTORY)
            }
            let usage = DiskUsage.measure([top])
            #expect(usage.inodes == UInt64(depth) + 1)
            #expect(usage.isComplete)
            #expect(depth * (name.utf8.count + 1) > Int(PATH_MAX))
        }
    }

    @Test("a measurement whose budget is used up says so, and what it has seen")
    func budget() throws {
        try Self.withDirectory { top in
            for number in 0..<20 { try Self.write(top + "/\(number)", bytes: 1) }
            let usage = DiskUsage.measure([top], budget: DiskUsage.Budget(entries: 11))
            #expect(!usage.isComplete)
            #expect(usage.inodes == 11)
        }
    }
}
