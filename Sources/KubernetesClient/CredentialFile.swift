#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// Reads the small files credentials live in: certificates, keys, tokens, kubeconfigs.
enum CredentialFile {
    struct Unreadable: Error, Hashable, CustomStringConvertible {
        var path: String
        var reason: String
        var description: String { "cannot read \(path): \(reason)" }
    }

    /// Far above any certificate bundle in use.
    static let maximumBytes = 4 * 1024 * 1024

    /// The whole file. Blocking, but the files are small and local; callers read them at start or once a minute.
    static func read(_ path: String) throws(Unreadable) -> [UInt8] {
        // A FIFO put in the place of a credential must not hang the reader.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Unreadable(path: path, reason: lastErrorText()) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Unreadable(path: path, reason: lastErrorText()) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw Unreadable(path: path, reason: "not a regular file") }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = Self.read(descriptor, into: &chunk)
            if count == 0 { return bytes }
            guard count > 0 else { throw Unreadable(path: path, reason: lastErrorText()) }
            bytes.append(contentsOf: chunk.prefix(count))
            guard bytes.count <= maximumBytes else {
                throw Unreadable(path: path, reason: "larger than \(maximumBytes) bytes")
            }
        }
    }

    private static func read(_ descriptor: Int32, into chunk: inout [UInt8]) -> Int {
        let capacity = chunk.count
        while true {
            let count = chunk.withUnsafeMutableBytes { read_(descriptor, $0.baseAddress, capacity) }
            if count >= 0 || errno != EINTR { return count }
        }
    }

    private static func read_(_ descriptor: Int32, _ base: UnsafeMutableRawPointer?, _ count: Int) -> Int {
        #if canImport(Glibc)
        Glibc.read(descriptor, base, count)
        #else
        Musl.read(descriptor, base, count)
        #endif
    }

    private static func lastErrorText() -> String {
        let number = errno
        guard let text = strerror(number) else { return "error \(number)" }
        return String(cString: text)
    }
}
