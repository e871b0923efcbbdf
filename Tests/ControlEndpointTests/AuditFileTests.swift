import Glibc
import LinuxKernel
import Testing

@testable import ControlEndpoint

struct AuditFileTests {
    private func inDirectory(_ body: (String) throws -> Void) throws {
        let directory = try EndpointFixture.makeDirectory()
        defer { try? FileSystem.removeTree(directory) }
        try body(directory + "/logs/audit.log")
    }

    private func lines(_ path: String) throws -> [Substring] { try FileSystem.readText(path).split(separator: "\n") }

    @Test("a file that is full goes aside, the oldest goes, and no line is cut")
    func rotation() throws {
        try inDirectory { path in
            var file = AuditFile(AuditConfiguration(level: .metadata, path: path, maximumBytes: 30, maximumFiles: 3))
            for number in 100..<110 { try file.append([Array("line-\(number)".utf8)]) }
            // Three lines of nine bytes a file.
            #expect(try lines(path) == ["line-109"])
            #expect(try lines(path + ".1") == ["line-106", "line-107", "line-108"])
            #expect(try lines(path + ".2") == ["line-103", "line-104", "line-105"])
            #expect(!FileSystem.exists(path + ".3"))
            var status = stat()
            #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        }
    }

    @Test("many lines at once are cut into files as single ones are, and one beyond the limit has its own")
    func batch() throws {
        try inDirectory { path in
            var file = AuditFile(AuditConfiguration(level: .metadata, path: path, maximumBytes: 30, maximumFiles: 9))
            try file.append((100..<105).map { Array("line-\($0)".utf8) } + [[UInt8](repeating: 65, count: 50)])
            #expect(try lines(path) == [Substring(String(repeating: "A", count: 50))])
            #expect(try lines(path + ".1") == ["line-103", "line-104"])
            #expect(try lines(path + ".2") == ["line-100", "line-101", "line-102"])
        }
    }

    @Test("another start goes on where the last one ended")
    func restart() throws {
        try inDirectory { path in
            let configuration = AuditConfiguration(level: .metadata, path: path, maximumBytes: 30, maximumFiles: 2)
            for number in 100..<104 {
                var file = AuditFile(configuration)
                try file.append([Array("line-\(number)".utf8)])
            }
            #expect(try lines(path) == ["line-103"])
            #expect(try lines(path + ".1") == ["line-100", "line-101", "line-102"])
        }
    }
}
