import Glibc
import LinuxKernel
import Testing

@testable import NodeServer

struct HostLogsTests {
    /// Runs the body with a log directory beside a secret.
    private func withLogs(_ body: (HostLogs, String) throws -> Void) throws {
        let top = "/tmp/swiftlet-host-logs-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        defer { try? FileSystem.removeTree(top) }
        try FileSystem.makeDirectories(top + "/log/pods/a")
        try FileSystem.writeAtomically(top + "/secret", Array("secret".utf8), durable: false)
        try FileSystem.writeAtomically(top + "/log/syslog", Array("one\ntwo\n".utf8), durable: false)
        try FileSystem.writeAtomically(top + "/log/pods/a/0.log", [UInt8](repeating: 7, count: 100_000), durable: false)
        for (target, name) in [
            ("../secret", "up"), (top + "/secret", "absolute"), ("syslog", "inside"), ("/proc/self", "magic"),
            ("loop", "loop"),
        ] { #expect(symlink(target, top + "/log/" + name) == 0) }
        #expect(mkfifo(top + "/log/pipe", 0o600) == 0)
        try body(HostLogs(directory: top + "/log"), top)
    }

    private func bytes(_ file: OpenLog) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let piece = try file.read(from: Int64(bytes.count))
            if piece.isEmpty { return bytes }
            bytes += piece
        }
    }

    @Test("directories are listed and files are read to the end they had")
    func reading() throws {
        try withLogs { logs, top in
            guard case .directory(let names) = try logs.open([]), case .file(let file) = try logs.open(["syslog"]),
                case .file(let large) = try logs.open(["pods", "a", "0.log"]),
                case .file(let linked) = try logs.open(["inside"])
            else {
                Issue.record("not what is there")
                return
            }
            #expect(names == ["absolute", "inside", "loop", "magic", "pipe", "pods/", "syslog", "up"])
            let later = try OwnedDescriptor.open(top + "/log/syslog", O_WRONLY | O_APPEND)
            try later.writeAll(Array("three\n".utf8))
            #expect(try bytes(file) == Array("one\ntwo\n".utf8))
            #expect(try bytes(large).count == 100_000)
            #expect(try bytes(linked) == Array("one\ntwo\n".utf8))
        }
    }

    @Test(
        "nothing outside is reached, and nothing but files and directories is opened",
        arguments: [
            (["up"], HostLogs.Refusal.forbidden), (["absolute"], .forbidden), (["magic", "environ"], .forbidden),
            (["loop"], .forbidden), (["pipe"], .forbidden), (["absent"], .notFound), (["syslog", "x"], .notFound),
            (["..", "secret"], .forbidden), (["pods", "..", "..", "secret"], .forbidden),
        ])
    func escapes(segments: [String], refusal: HostLogs.Refusal) throws {
        try withLogs { logs, _ in
            #expect(throws: refusal) { try logs.open(segments) }
        }
    }

    @Test(
        "a path gives its names, and one that hides something gives none",
        arguments: [
            ("/logs", []), ("/logs/", []), ("/logs/pods/", ["pods"]), ("/logs/a%20b/c", ["a b", "c"]),
            ("/logs/../etc", nil), ("/logs/%2e%2e/etc", nil), ("/logs/a%2fb", nil), ("/logs//a", nil),
            ("/logs/a%00", nil), ("/logs/%zz", nil),
        ] as [(String, [String]?)])
    func segments(path: String, expected: [String]?) {
        #expect(HostLogRoute.segments(path) == expected)
    }

    @Test("names in a listing cannot be anything but names")
    func listing() {
        let text = HostLogRoute.listing(["a<script>\"&'", "javascript:x", "b/"])
        #expect(text.contains("<a href=\"a%3Cscript%3E%22%26%27\">a&lt;script&gt;&#34;&amp;&#39;</a>\n"))
        #expect(text.contains("href=\"javascript%3Ax\"") && text.contains("<a href=\"b/\">b/</a>"))
    }
}
