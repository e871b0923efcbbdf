import Glibc
import Logging
import Testing

@testable import Systemd

@Suite struct JournalLogHandlerTests {
    @Test(
        "an event reaches the journal's socket with its fields, in the journal's own format",
        .enabled(if: geteuid() == 0, "needs root: the socket's path is fixed, so the test mounts its own /run"))
    func sends() throws {
        let datagram = try #require(JournalSocket.capture())
        let lines = datagram.split(separator: "\n").map(String.init)
        #expect(lines.contains("MESSAGE=container started pod=default/hello"))
        #expect(lines.contains("PRIORITY=6"))
        #expect(lines.contains("SYSLOG_IDENTIFIER=swiftlet"))
        #expect(lines.contains("SWIFTLET_POD=default/hello"))
        #expect(lines.contains("CODE_FUNC=capture()"))
    }
}

/// The journal's socket, bound at its fixed path below a /run that only one thread of the test sees.
private enum JournalSocket {
    /// What one logged event sends; `nil` when the stage could not be set.
    static func capture() -> String? {
        var text: String?
        withUnsafeMutablePointer(to: &text) { result in
            var thread = pthread_t()
            let start: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
                argument?.assumingMemoryBound(to: String?.self).pointee = JournalSocket.captureOnThisThread()
                return nil
            }
            if pthread_create(&thread, nil, start, result) == 0 { pthread_join(thread, nil) }
        }
        return text
    }

    private static func captureOnThisThread() -> String? {
        // From here on this thread alone sees its mounts; they vanish with it.
        guard ownMountNamespace(), mount("none", "/", nil, UInt(MS_REC | MS_PRIVATE), nil) == 0,
            mount("tmpfs", "/run", "tmpfs", 0, nil) == 0, mkdir("/run/systemd", 0o755) == 0,
            mkdir("/run/systemd/journal", 0o755) == 0
        else { return nil }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard bindUnix(descriptor, "/run/systemd/journal/socket") == 0 else { return nil }
        let logger = Logger(label: "test") { _ in JournalLogHandler() }
        logger.info("container started", metadata: ["pod": "default/hello"], function: "capture()")
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }

    /// unshare(2) with CLONE_NEWNS, looked up by name: the Glibc overlay hides both.
    private static func ownMountNamespace() -> Bool {
        guard let library = dlopen(nil, RTLD_NOW), let symbol = dlsym(library, "unshare") else { return false }
        let newMountNamespace: Int32 = 0x0002_0000
        return unsafeBitCast(symbol, to: (@convention(c) (Int32) -> Int32).self)(newMountNamespace) == 0
    }
}
