import Glibc
import LinuxKernel

/// A directory of plain files standing in for a kernel file system; removed with its owner.
final class TemporaryTree: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/swiftlet-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw KernelError.last("mkdtemp") }
        path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? FileSystem.removeTree(path) }

    func directory(_ name: String) throws -> String {
        try FileSystem.makeDirectories(path + "/" + name)
        return path + "/" + name
    }

    func write(_ name: String, _ text: String) throws {
        let slash = name.lastIndex(of: "/") ?? name.startIndex
        if slash != name.startIndex { _ = try directory(String(name[..<slash])) }
        try FileSystem.writeAtomically(path + "/" + name, Array(text.utf8), durable: false)
    }

    func read(_ name: String) throws -> String { try FileSystem.readText(path + "/" + name) }
}
