import Glibc
import LinuxKernel
import Testing

@testable import ContainerRuntime

struct SeccompProfileDirectoryTests {
    /// A directory `seccomp` with a secret beside it.
    private func withDirectory(_ body: (String, SeccompProfileDirectory) throws -> Void) throws {
        let root = "/tmp/swiftlet-test-seccomp-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        try FileSystem.makeDirectories(root + "/seccomp/profiles")
        defer { try? FileSystem.removeTree(root) }
        try FileSystem.writeAtomically(root + "/secret", Array("secret".utf8), durable: false)
        try FileSystem.writeAtomically(root + "/seccomp/profiles/a.json", Array("{}".utf8), durable: false)
        try body(root, SeccompProfileDirectory(path: root + "/seccomp"))
    }

    private func expectRefusal(_ directory: SeccompProfileDirectory, _ name: String, _ words: String) {
        let error = #expect(throws: RuntimeError.self, "\(name)") { try directory.read(name) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains(words) == true, "\(name): \(String(describing: error))")
        #expect(error?.message.contains("localhostProfile \"\(name.prefix(20))") == true)
    }

    @Test("a file below the directory is read, and a link that stays below is followed")
    func inside() throws {
        try withDirectory { root, directory in
            symlink("profiles/a.json", root + "/seccomp/link")
            for name in ["profiles/a.json", "./profiles//a.json", "link"] {
                let bytes = try directory.read(name)
                #expect(bytes == Array("{}".utf8), "\(name)")
            }
        }
    }

    @Test("nothing outside of the directory is ever read")
    func outside() throws {
        try withDirectory { root, directory in
            symlink("../secret", root + "/seccomp/up")
            symlink(root + "/secret", root + "/seccomp/absolute")
            symlink(root, root + "/seccomp/out")
            symlink("/proc/self/root", root + "/seccomp/magic")
            for name in [
                "../secret", "profiles/../../secret", "profiles/../profiles/a.json", "/etc/passwd", "", "a\0b",
            ] {
                expectRefusal(directory, name, "must be a path below")
            }
            for name in ["up", "absolute", "out/secret", "magic/etc/passwd"] {
                expectRefusal(directory, name, "leads out of")
            }
        }
    }

    @Test("what is absent, no file or too large is an error of its own")
    func unfit() throws {
        try withDirectory { root, directory in
            mkfifo(root + "/seccomp/fifo", 0o600)
            let large = [UInt8](repeating: UInt8(ascii: " "), count: (1 << 20) + 1)
            try FileSystem.writeAtomically(root + "/seccomp/large", large, durable: false)
            expectRefusal(directory, "missing.json", "there is no such file")
            expectRefusal(directory, "profiles", "is not a file")
            expectRefusal(directory, "fifo", "is not a file")
            expectRefusal(directory, "large", "more than 1048576 bytes")
            expectRefusal(directory, String(repeating: "x", count: 5000), "cannot be read")
            expectRefusal(SeccompProfileDirectory(path: root + "/nowhere"), "a.json", "there is no such file")
        }
    }

    @Test("a profile is compiled from what its file says now, and a bad one names file and field")
    func filters() throws {
        try withDirectory { root, directory in
            let file = root + "/seccomp/p.json"
            func compile(_ text: String) throws -> [UInt8] {
                try FileSystem.writeAtomically(file, Array(text.utf8), durable: false)
                return try SeccompFilter.localhost("p.json", in: directory, .containerDefault)
            }
            let first = try compile(#"{"defaultAction": "SCMP_ACT_ALLOW"}"#)
            let second = try compile(#"{"defaultAction": "SCMP_ACT_ERRNO"}"#)
            #expect(second != first)
            let third = try compile(#"{"defaultAction": "SCMP_ACT_ALLOW"}"#)
            #expect(third == first)
            let error = #expect(throws: RuntimeError.self) { try compile(#"{"defaultAction": "SCMP_ACT_NONE"}"#) }
            #expect(error?.message.contains("\"p.json\": defaultAction: \"SCMP_ACT_NONE\" is no action") == true)
            unlink(file)
            #expect(throws: RuntimeError.self) {
                try SeccompFilter.localhost("p.json", in: directory, .containerDefault)
            }
        }
    }
}
