import Glibc
import LinuxKernel
import Testing

@Suite("Space on a file system")
struct FileSystemSpaceTests {
    @Test("a reserve takes blocks, and changes neither the file's size nor its content")
    func reserve() throws {
        var template = Array("/tmp/swiftlet-space.XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try #require(descriptor >= 0)
        close(descriptor)
        defer { unlink(path) }
        let file = try OwnedDescriptor.open(path, O_RDWR)
        try file.writeAll(Array("content".utf8))
        let before = try status(path)
        try FileSystem.reserve(file, bytes: 1 << 20)
        let after = try status(path)
        #expect(after.st_size == before.st_size)
        #expect(after.st_blocks >= before.st_blocks + (1 << 20) / 512)
        #expect(try FileSystem.readText(path) == "content")
    }

    @Test("a place that does not exist has no free space to tell of, a full one none")
    func freeBytes() throws {
        #expect(try FileSystem.freeBytes("/tmp") > 0)
        #expect(throws: KernelError.self) { try FileSystem.freeBytes("/no/such/place") }
        // No block of it can be had.
        #expect(try FileSystem.freeBytes("/proc") == 0)
    }

    private func status(_ path: String) throws -> stat {
        var status = stat()
        try #require(lstat(path, &status) == 0)
        return status
    }
}
