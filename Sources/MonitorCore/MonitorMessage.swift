/// What the agent asks of a monitor; one packet of a SOCK_SEQPACKET socket each.
public enum MonitorRequest: Hashable, Sendable {
    /// Lets init go on to execve. Until then the container's life is bound to the connection that created it.
    case release
    /// Sends a signal to init.
    case signal(Int32)
    /// Runs the plan in the packet's first descriptor inside the container, on the packet's other three (stdin, stdout, stderr).
    case execute(identifier: UInt32)
    /// As ``execute(identifier:)``, and killed when the connection that asked for it closes: nobody is there for its output any more.
    case executeForCaller(identifier: UInt32)
    case signalExecution(identifier: UInt32, signal: Int32)
    /// Closes the log file and opens its path anew, after a rotation.
    case reopenLog
    /// Copies what the container writes from now on to the packet's second descriptor, and to the third what it writes to standard
    /// error. Over the first the monitor answers one byte, with the way to the container's standard input if it is kept open.
    case attach
    /// Closes the monitor's own way to the container's standard input.
    case closeInput

    public func encoded() -> [UInt8] {
        var writer = WireWriter()
        switch self {
        case .release: writer.write(UInt8(1))
        case .signal(let signal):
            writer.write(UInt8(2))
            writer.write(signal)
        case .execute(let identifier):
            writer.write(UInt8(3))
            writer.write(identifier)
        case .signalExecution(let identifier, let signal):
            writer.write(UInt8(4))
            writer.write(identifier)
            writer.write(signal)
        case .reopenLog: writer.write(UInt8(5))
        case .attach: writer.write(UInt8(6))
        case .closeInput: writer.write(UInt8(7))
        case .executeForCaller(let identifier):
            writer.write(UInt8(8))
            writer.write(identifier)
        }
        return writer.bytes
    }

    public init(decoding bytes: [UInt8]) throws(WireError) {
        var reader = WireReader(bytes)
        switch try reader.readByte() {
        case 1: self = .release
        case 2: self = .signal(try reader.readInt32())
        case 3: self = .execute(identifier: try reader.readUInt32())
        case 4: self = .signalExecution(identifier: try reader.readUInt32(), signal: try reader.readInt32())
        case 5: self = .reopenLog
        case 6: self = .attach
        case 7: self = .closeInput
        case 8: self = .executeForCaller(identifier: try reader.readUInt32())
        default: throw WireError(.unknownTag, offset: 0)
        }
        try reader.finish()
    }
}

/// What a monitor tells every connected agent. A new connection gets the current state first.
public enum MonitorEvent: Hashable, Sendable {
    /// Init is cloned and being set up.
    case launching
    /// Init is set up and waits. `startTime` is field 22 of proc_pid_stat(5): with the pid it names the process for good.
    case created(pid: Int32, startTime: UInt64)
    /// execve succeeded.
    case running(pid: Int32, startTime: UInt64, startedAt: Int64)
    case exited(ExitRecord)
    case executionStarted(identifier: UInt32)
    case executionFailed(identifier: UInt32, LaunchFailure)
    case executionExited(identifier: UInt32, exitCode: Int32, signal: Int32)

    public func encoded() -> [UInt8] {
        var writer = WireWriter()
        switch self {
        case .launching: writer.write(UInt8(1))
        case .created(let pid, let startTime):
            writer.write(UInt8(2))
            writer.write(pid)
            writer.write(startTime)
        case .running(let pid, let startTime, let startedAt):
            writer.write(UInt8(3))
            writer.write(pid)
            writer.write(startTime)
            writer.write(startedAt)
        case .exited(let record):
            writer.write(UInt8(4))
            record.encode(into: &writer)
        case .executionStarted(let identifier):
            writer.write(UInt8(5))
            writer.write(identifier)
        case .executionFailed(let identifier, let failure):
            writer.write(UInt8(6))
            writer.write(identifier)
            writer.write(failure.step)
            writer.write(failure.errno)
        case .executionExited(let identifier, let exitCode, let signal):
            writer.write(UInt8(7))
            writer.write(identifier)
            writer.write(exitCode)
            writer.write(signal)
        }
        return writer.bytes
    }

    public init(decoding bytes: [UInt8]) throws(WireError) {
        var reader = WireReader(bytes)
        switch try reader.readByte() {
        case 1: self = .launching
        case 2: self = .created(pid: try reader.readInt32(), startTime: try reader.readUInt64())
        case 3:
            self = .running(
                pid: try reader.readInt32(), startTime: try reader.readUInt64(), startedAt: try reader.readInt64())
        case 4: self = .exited(try ExitRecord(from: &reader))
        case 5: self = .executionStarted(identifier: try reader.readUInt32())
        case 6:
            self = .executionFailed(
                identifier: try reader.readUInt32(),
                LaunchFailure(step: try reader.readUInt32(), errno: try reader.readInt32()))
        case 7:
            self = .executionExited(
                identifier: try reader.readUInt32(), exitCode: try reader.readInt32(), signal: try reader.readInt32())
        default: throw WireError(.unknownTag, offset: 0)
        }
        try reader.finish()
    }
}
