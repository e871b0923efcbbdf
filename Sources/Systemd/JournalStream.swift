import Glibc

/// The device and inode of the stream that the service manager connected to the journal, as it gives them in
/// `JOURNAL_STREAM` (systemd.exec(5)).
///
/// The variable alone proves nothing: a child that redirects its output inherits it. Only a descriptor with the same
/// device and inode is the journal's.
public struct JournalStream: Hashable, Sendable {
    public let device: UInt64
    public let inode: UInt64

    public init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }

    /// Parses `device:inode`, both decimal; `nil` for anything else.
    public init?(parsing text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let device = Self.decimal(parts[0]), let inode = Self.decimal(parts[1]) else {
            return nil
        }
        self.init(device: device, inode: inode)
    }

    /// What an open descriptor is; `nil` when it is closed.
    public init?(of descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    /// Whether this process's standard error goes to the journal, so that structured records may replace lines.
    public static var isConnected: Bool {
        guard let value = getenv("JOURNAL_STREAM") else { return false }
        return isConnected(variable: String(cString: value), descriptor: STDERR_FILENO)
    }

    static func isConnected(variable: String, descriptor: Int32) -> Bool {
        guard let stream = JournalStream(parsing: variable) else { return false }
        return stream == JournalStream(of: descriptor)
    }

    private static func decimal(_ text: Substring) -> UInt64? {
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? UInt64(text) : nil
    }
}
