/// How much of a container's log is kept: so many files, none larger than so many bytes.
public struct LogLimit: Hashable, Sendable {
    /// Of one file.
    public var maximumBytes: UInt64
    /// The one being written and the ones before it; at least 2.
    public var maximumFiles: UInt32

    public init(maximumBytes: UInt64, maximumFiles: UInt32) {
        self.maximumBytes = maximumBytes
        self.maximumFiles = maximumFiles
    }

    func encode(into writer: inout WireWriter) {
        writer.write(maximumBytes)
        writer.write(maximumFiles)
    }

    init(from reader: inout WireReader) throws(WireError) {
        maximumBytes = try reader.readUInt64()
        maximumFiles = try reader.readUInt32()
    }
}
