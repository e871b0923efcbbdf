import Glibc
import LinuxKernel

/// A container's last words: what it left in its termination message file, or the end of its log.
enum TerminationMessage {
    /// Of the file, from its end.
    static let fileLimit = 4096
    /// Of the log, from its end.
    static let logByteLimit = 2048
    static let logLineLimit: Int64 = 80

    /// The end of the file. Empty when there is none: the node made it, so whatever else is in its place is nobody's words.
    static func read(file: String) -> String {
        guard let descriptor = try? OwnedDescriptor.open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK) else { return "" }
        return String(decoding: tail(descriptor, limit: fileLimit), as: UTF8.self)
    }

    /// The content of the last lines of a CRI log, also when it was rotated just before the end.
    static func read(log: String) -> String {
        guard let start = try? LogFiles(path: log).start(lines: logLineLimit, sinceSeconds: nil) else { return "" }
        var (input, position) = (start.input, start.offset)
        var filter = ContainerLogFilter(ContainerLogOptions())
        var content: [UInt8] = []
        // The lines may be of any length, but of no more files than there are.
        while let bytes = try? input.read(at: position, count: 65536) {
            content += filter.append(bytes)
            content.removeFirst(max(0, content.count - logByteLimit))
            position += bytes.count
            if !bytes.isEmpty { continue }
            guard let next = try? LogFiles(path: log).successor(of: input) else { break }
            (input, position) = (next, 0)
        }
        return String(decoding: content, as: UTF8.self)
    }

    private static func tail(_ descriptor: borrowing OwnedDescriptor, limit: Int) -> [UInt8] {
        var status = stat()
        guard fstat(descriptor.raw, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return [] }
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = pread(descriptor.raw, &buffer, limit, max(0, status.st_size - off_t(limit)))
        return Array(buffer.prefix(max(0, count)))
    }
}
