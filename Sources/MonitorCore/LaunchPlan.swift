/// What a monitor needs to launch and watch one container: an ordered list of steps and where to put what it learns.
///
/// It reaches the monitor as bytes in a sealed memfd. The agent keeps the plan too, to say which step a
/// ``LaunchFailure`` names.
public struct LaunchPlan: Hashable, Sendable {
    /// Version of the bytes; a monitor refuses any other. Running monitors keep the version they were started with.
    public static let wireVersion: UInt8 = 1
    /// Of a plan that joins a PID namespace, which older monitors cannot.
    public static let joiningWireVersion: UInt8 = 2
    /// Of a plan whose log is limited: an older monitor would fill the disk.
    public static let limitingWireVersion: UInt8 = 3

    /// `CLONE_NEW*` flags of clone3(2) for init.
    public var cloneFlags: UInt64
    /// v2 cgroup directory for `CLONE_INTO_CGROUP`; without one the steps join by `tasks` files.
    public var cgroupDirectory: CString?
    /// CRI log file, opened for appending. Without one stdout and stderr are what the monitor was given.
    public var logFile: CString?
    /// How much of the log is kept; without one it grows for ever.
    public var logLimit: LogLimit?
    /// A file with an `oom_kill N` line (memory.events, memory.oom_control).
    public var outOfMemoryEventsFile: CString?
    /// v1 cgroup.event_control beside memory.oom_control: there the kernel kills one process, and the monitor the rest.
    public var outOfMemoryEventControlFile: CString?
    /// Init is born in the PID namespace that the monitor was given as a descriptor, not in one of its own.
    public var joinsPIDNamespace: Bool
    public var steps: [LaunchStep]

    public init(
        cloneFlags: UInt64 = 0, cgroupDirectory: CString? = nil, logFile: CString? = nil,
        logLimit: LogLimit? = nil, outOfMemoryEventsFile: CString? = nil, outOfMemoryEventControlFile: CString? = nil,
        joinsPIDNamespace: Bool = false, steps: [LaunchStep] = []
    ) {
        self.cloneFlags = cloneFlags
        self.cgroupDirectory = cgroupDirectory
        self.logFile = logFile
        self.logLimit = logLimit
        self.outOfMemoryEventsFile = outOfMemoryEventsFile
        self.outOfMemoryEventControlFile = outOfMemoryEventControlFile
        self.joinsPIDNamespace = joinsPIDNamespace
        self.steps = steps
    }

    public func encoded() -> [UInt8] {
        var writer = WireWriter()
        if let logLimit {
            writer.write(LaunchPlan.limitingWireVersion)
            writer.write(joinsPIDNamespace)
            logLimit.encode(into: &writer)
        } else {
            writer.write(joinsPIDNamespace ? LaunchPlan.joiningWireVersion : LaunchPlan.wireVersion)
        }
        writer.write(cloneFlags)
        writer.write(cgroupDirectory)
        writer.write(logFile)
        writer.write(outOfMemoryEventsFile)
        writer.write(outOfMemoryEventControlFile)
        writer.write(UInt32(steps.count))
        for step in steps { step.encode(into: &writer) }
        return writer.bytes
    }

    public init(decoding bytes: [UInt8]) throws(WireError) {
        var reader = WireReader(bytes)
        let version = try reader.readByte()
        switch version {
        case LaunchPlan.wireVersion, LaunchPlan.joiningWireVersion:
            joinsPIDNamespace = version == LaunchPlan.joiningWireVersion
            logLimit = nil
        case LaunchPlan.limitingWireVersion:
            joinsPIDNamespace = try reader.readBool()
            logLimit = try LogLimit(from: &reader)
        default: throw WireError(.badVersion, offset: 0)
        }
        cloneFlags = try reader.readUInt64()
        cgroupDirectory = try reader.readOptionalCString()
        logFile = try reader.readOptionalCString()
        outOfMemoryEventsFile = try reader.readOptionalCString()
        outOfMemoryEventControlFile = try reader.readOptionalCString()
        let count = try reader.readCount()
        var steps: [LaunchStep] = []
        steps.reserveCapacity(count)
        for _ in 0..<count { steps.append(try LaunchStep.decode(from: &reader)) }
        self.steps = steps
        try reader.finish()
    }
}
