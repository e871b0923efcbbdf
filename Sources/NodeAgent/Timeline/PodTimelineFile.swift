import CLinux
import Glibc
import KubernetesAPI
import LinuxKernel
import SystemPackage

/// A pod's timeline on disk: a header, then one JSON object a line, each an entry in the order it was made.
///
/// Appended to without fsync: a power cut may cost the last lines, and a torn last line is nothing. The calls block.
struct PodTimelineFile: Sendable {
    static let name = "timeline"
    /// Beyond it the file is written anew, from what is still remembered.
    static let rewriteSize = 64 << 10
    /// Beyond it the file is none of ours.
    static let readLimit = 1 << 20

    /// The pod's directory, which is somebody else's to make and remove.
    let directory: String

    struct Contents: Sendable {
        var entries: [PodTimelineEntry] = []
        var boot: String?
        var bytes = 0
        /// Lines that could not be read, or a torn end: the file is to be written anew.
        var isDamaged = false
        /// Where a file went that is no timeline.
        var setAside: String?
    }

    private var path: String { directory + "/" + Self.name }

    // MARK: Reading

    func read() throws(KernelError) -> Contents {
        let bytes: [UInt8]
        do throws(KernelError) { bytes = try regularFile() } catch {
            switch error.errno {
            case .noSuchFileOrDirectory: return Contents()
            case .fileTooLarge, .tooManySymbolicLinkLevels, .invalidArgument, .isDirectory: return try setAside()
            default: throw error
            }
        }
        guard !bytes.isEmpty else { return Contents() }
        var contents = Contents(bytes: bytes.count)
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true)
        if bytes.last != UInt8(ascii: "\n") {
            contents.isDamaged = true
            if lines.count > 1 { lines.removeLast() }
        }
        guard let first = lines.first, let header = Self.object(first), header["timeline"]?.intValue == 1 else {
            return try setAside()
        }
        contents.boot = header["boot"]?.stringValue
        for line in lines.dropFirst() {
            if let entry = Self.object(line).flatMap(PodTimelineEntry.init) {
                contents.entries.append(entry)
            } else {
                contents.isDamaged = true
            }
        }
        return contents
    }

    private func regularFile() throws(KernelError) -> [UInt8] {
        let file = try OwnedDescriptor.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        var status = stat()
        try kernelCall("fstat", path) { fstat(file.raw, &status) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw KernelError("read", path, errno: .invalidArgument) }
        return try file.readAll(limit: Self.readLimit)
    }

    private static func object(_ line: ArraySlice<UInt8>) -> JSONValue? {
        try? JSONValue(parsing: line, limits: JSONLimits(maximumDepth: 4, maximumBytes: 16 << 10))
    }

    private func setAside() throws(KernelError) -> Contents {
        let other = path + ".damaged"
        try kernelCall("rename", path) { rename(path, other) }
        return Contents(setAside: other)
    }

    // MARK: Writing

    /// Gives the bytes written.
    func append(_ entries: [PodTimelineEntry], header: JSONValue?) throws(KernelError) -> Int {
        let bytes = Self.lines(header, entries)
        let file = try OwnedDescriptor.open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, mode: 0o600)
        try file.writeAll(bytes)
        return bytes.count
    }

    /// Gives the size of the new file.
    func rewrite(_ entries: [PodTimelineEntry], header: JSONValue) throws(KernelError) -> Int {
        let bytes = Self.lines(header, entries)
        try FileSystem.writeAtomically(path, bytes)
        return bytes.count
    }

    private static func lines(_ header: JSONValue?, _ entries: [PodTimelineEntry]) -> [UInt8] {
        var bytes: [UInt8] = []
        for value in [header].compactMap(\.self) + entries.map(\.json) {
            bytes += value.serialized()
            bytes.append(UInt8(ascii: "\n"))
        }
        return bytes
    }

    static func header(of pod: PodTimelineName, boot: String) -> JSONValue {
        [
            "timeline": 1, "namespace": .string(pod.namespace), "pod": .string(pod.name), "uid": .string(pod.uid),
            "boot": .string(boot),
        ]
    }
}

/// Whose timeline it is.
public struct PodTimelineName: Hashable, Sendable {
    public var namespace: String
    public var name: String
    public var uid: String

    public init(namespace: String, name: String, uid: String) {
        self.namespace = namespace
        self.name = name
        self.uid = uid
    }
}
