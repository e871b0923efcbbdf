/// How a container ended, written by the monitor as its last act: the one source of exit codes.
public struct ExitRecord: Hashable, Sendable {
    public static let wireVersion: UInt8 = 1

    /// False when the container was never released: none of its code ran.
    public var released: Bool
    public var failure: LaunchFailure?
    /// Exit status 0…255; 0 when a signal ended it.
    public var exitCode: Int32
    /// The signal that ended it, or 0.
    public var signal: Int32
    public var outOfMemory: Bool
    /// Nanoseconds since the epoch (CLOCK_REALTIME); 0 when it never started.
    public var startedAt: Int64
    public var finishedAt: Int64

    public init(
        released: Bool, failure: LaunchFailure? = nil, exitCode: Int32 = 0, signal: Int32 = 0,
        outOfMemory: Bool = false,
        startedAt: Int64 = 0, finishedAt: Int64 = 0
    ) {
        self.released = released
        self.failure = failure
        self.exitCode = exitCode
        self.signal = signal
        self.outOfMemory = outOfMemory
        self.startedAt = startedAt
        self.finishedAt = finishedAt
    }

    /// The code a shell or Kubernetes reports: 128 + signal for a death by signal.
    public var reportedExitCode: Int32 { signal != 0 ? 128 &+ signal : exitCode }

    public func encoded() -> [UInt8] {
        var writer = WireWriter()
        writer.write(ExitRecord.wireVersion)
        encode(into: &writer)
        return writer.bytes
    }

    func encode(into writer: inout WireWriter) {
        writer.write(released)
        writer.write(failure != nil)
        if let failure {
            writer.write(failure.step)
            writer.write(failure.errno)
        }
        writer.write(exitCode)
        writer.write(signal)
        writer.write(outOfMemory)
        writer.write(startedAt)
        writer.write(finishedAt)
    }

    public init(decoding bytes: [UInt8]) throws(WireError) {
        var reader = WireReader(bytes)
        guard try reader.readByte() == ExitRecord.wireVersion else { throw WireError(.badVersion, offset: 0) }
        try self.init(from: &reader)
        try reader.finish()
    }

    init(from reader: inout WireReader) throws(WireError) {
        released = try reader.readBool()
        failure =
            try reader.readBool()
            ? LaunchFailure(step: try reader.readUInt32(), errno: try reader.readInt32()) : nil
        exitCode = try reader.readInt32()
        signal = try reader.readInt32()
        outOfMemory = try reader.readBool()
        startedAt = try reader.readInt64()
        finishedAt = try reader.readInt64()
    }
}
