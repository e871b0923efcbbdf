import Glibc
import Testing

@testable import LinuxKernel

struct FileSystemHelperTests {
    /// A program in the helper's place that sleeps over paths with "silent" in them, and notes every call.
    private static func withProgram(
        _ body: (_ helper: FileSystemHelper, _ notes: String) async throws -> Void
    ) async throws {
        var template = Array("/tmp/swiftlet-helper-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw KernelError.last("mkdtemp") }
        let root = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let script = """
            #!/bin/sh
            echo "$@" >>\(root)/notes
            case "$2" in *silent*) exec sleep 1000 ;; *bad*) exit 1 ;; esac
            """
        try FileSystem.writeAtomically(root + "/program", Array(script.utf8), durable: false)
        chmod(root + "/program", 0o755)
        defer { try? FileSystem.removeTree(root) }
        try await body(FileSystemHelper(program: root + "/program", timeout: .seconds(60)), root + "/notes")
    }

    @Test("whatever is said of a path is an answer, and silence is none")
    func answers() async throws {
        try await Self.withProgram { (helper, _) async throws in
            #expect(try await helper.answers("/good"))
            #expect(try await helper.answers("/bad"))
            #expect(try await !helper.answers("/silent", within: .milliseconds(100)))
        }
    }

    @Test("what was silent just now is not asked again")
    func silence() async throws {
        try await Self.withProgram { (helper, notes) async throws in
            for _ in 0..<3 { #expect(try await !helper.answers("/silent", within: .milliseconds(500))) }
            #expect(try FileSystem.readText(notes, limit: 4096) == "probe /silent\n")
        }
    }

    @Test("of many points, each is given to the helper once")
    func points() async throws {
        try await Self.withProgram { (helper, notes) async throws in
            let points = (0..<17).map { "p\($0)" }
            try await helper.unmount(points, below: "/d")
            let calls = try FileSystem.readText(notes, limit: 4096).split(separator: "\n")
            #expect(calls.count == 3)
            #expect(calls.allSatisfy { $0.hasPrefix("unmount /d p") })
            #expect(calls.flatMap { $0.split(separator: " ").dropFirst(2) } == points.map { Substring($0) })
        }
    }

    @Test("a helper that cannot be started is an error")
    func missing() async {
        await #expect(throws: KernelError.self) {
            try await FileSystemHelper(program: "/nonexistent/program").answers("/")
        }
    }
}
