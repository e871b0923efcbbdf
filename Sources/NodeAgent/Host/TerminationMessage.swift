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

    /// The content of the last lines of a CRI log.
    static func read(log: String) -> String {
        guard let descriptor = try? OwnedDescriptor.open(log, O_RDONLY | O_NOFOLLOW) else { return "" }
        // Each entry has its time and stream, some 50 bytes, beside its content.
        let bytes = tail(descriptor, limit: 16384)
        var filter = ContainerLogFilter(ContainerLogOptions())
        let start = ContainerLogFilter.tailOffset(bytes, lines: logLineLimit)
        let content = filter.append(bytes[start...])
        return String(decoding: content.suffix(logByteLimit), as: UTF8.self)
    }

    private static func tail(_ descriptor: borrowing OwnedDescriptor, limit: Int) -> [UInt8] {
        var status = stat()
        guard fstat(descriptor.raw, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return [] }
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = pread(descriptor.raw, &buffer, limit, max(0, status.st_size - off_t(limit)))
        return Array(buffer.prefix(max(0, count)))
    }
}
