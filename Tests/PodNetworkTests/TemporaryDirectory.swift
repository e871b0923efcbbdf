import Glibc
import LinuxKernel

/// A directory on a tmpfs that goes with its test. Nothing in it is followed or crossed on the way out.
final class TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array("/dev/shm/podnetwork-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw KernelError.last("mkdtemp") }
        path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? FileSystem.removeTree(path) }
}
