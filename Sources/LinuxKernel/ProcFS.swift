import Glibc
import SystemPackage

/// What the agent reads from /proc. The parsers are pure: they take the text and give `nil` for one they do not
/// understand.
public enum ProcFS {
    /// The parts of `/proc/<pid>/stat` in use.
    public struct ProcessStatus: Hashable, Sendable {
        public let pid: Int32
        public let command: String
        /// `R`, `S`, `D`, `Z`, … (proc_pid_stat(5)).
        public let state: Character
        public let parent: Int32
        /// Clock ticks since boot.
        public let startTime: UInt64

        /// The command is anything between the first `(` and the last `)`: it may hold spaces and parentheses itself.
        public init?(parsing text: String) {
            guard let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")"), open < close else {
                return nil
            }
            let fields = text[text.index(after: close)...].split(separator: " ")
            // The first field behind the command is number 3, so number 22 is at 19.
            guard fields.count > 19, let pid = Int32(text[..<open].filter { $0 != " " }), let state = fields[0].first,
                let parent = Int32(fields[1]), let startTime = UInt64(fields[19])
            else { return nil }
            self.pid = pid
            command = String(text[text.index(after: open)..<close])
            self.state = state
            self.parent = parent
            self.startTime = startTime
        }
    }

    /// `/proc/meminfo`, in bytes.
    public struct MemoryInformation: Hashable, Sendable {
        public let totalBytes: UInt64
        public let freeBytes: UInt64
        public let availableBytes: UInt64
        public let swapTotalBytes: UInt64
        public let swapFreeBytes: UInt64
        /// Page cache that has not been used lately: what the kernel drops first.
        public let inactiveFileBytes: UInt64
        public let anonymousBytes: UInt64
        public let cachedBytes: UInt64

        public init?(parsing text: String) {
            var values: [Substring: UInt64] = [:]
            for line in text.split(separator: "\n") {
                let fields = line.split(separator: " ", maxSplits: 2)
                guard fields.count >= 2, fields[0].last == ":", let kibibytes = UInt64(fields[1]) else { continue }
                let (bytes, overflow) = kibibytes.multipliedReportingOverflow(by: 1024)
                if !overflow { values[fields[0].dropLast()] = bytes }
            }
            guard let total = values["MemTotal"], let free = values["MemFree"] else { return nil }
            totalBytes = total
            freeBytes = free
            availableBytes = values["MemAvailable"] ?? free
            swapTotalBytes = values["SwapTotal"] ?? 0
            swapFreeBytes = values["SwapFree"] ?? 0
            inactiveFileBytes = values["Inactive(file)"] ?? 0
            anonymousBytes = values["AnonPages"] ?? 0
            cachedBytes = values["Cached"] ?? 0
        }
    }

    /// `/proc/loadavg`: the run queue's average length over 1, 5 and 15 minutes.
    public struct LoadAverage: Hashable, Sendable {
        public let oneMinute: Double
        public let fiveMinutes: Double
        public let fifteenMinutes: Double
        /// Tasks running or waiting for a processor, and all tasks of the system.
        public let runnable: Int
        public let tasks: Int

        public init?(parsing text: String) {
            let fields = text.split { $0 == " " || $0 == "\n" }
            guard fields.count >= 4, let one = Double(fields[0]), let five = Double(fields[1]),
                let fifteen = Double(fields[2])
            else { return nil }
            let counts = fields[3].split(separator: "/").compactMap { Int($0) }
            guard counts.count == 2 else { return nil }
            (oneMinute, fiveMinutes, fifteenMinutes) = (one, five, fifteen)
            (runnable, tasks) = (counts[0], counts[1])
        }
    }

    /// `btime` of `/proc/stat`: when the machine booted, in seconds since 1970.
    public static func bootTime(parsing text: String) -> Int64? {
        for line in text.split(separator: "\n") where line.hasPrefix("btime ") { return Int64(line.dropFirst(6)) }
        return nil
    }

    /// Processors listed in `/proc/cpuinfo`, whose format differs by architecture except for this line.
    public static func processorCount(parsing text: String) -> Int {
        text.split(separator: "\n").count { line in
            guard line.hasPrefix("processor"), let colon = line.firstIndex(of: ":") else { return false }
            return line[..<colon].dropFirst("processor".count).allSatisfy { $0 == " " || $0 == "\t" }
        }
    }

    /// First field of `/proc/uptime`, in seconds, suspended time included.
    public static func uptimeSeconds(parsing text: String) -> Double? {
        text.split(separator: " ").first.flatMap { Double($0) }
    }

    // MARK: The running kernel

    /// ESRCH when the process is gone.
    public static func status(of pid: Int32) throws(KernelError) -> ProcessStatus {
        let path = "/proc/\(pid)/stat"
        let text: String
        do {
            text = try FileSystem.readText(path, limit: 1 << 16)
        } catch {
            throw error.errno == .noSuchFileOrDirectory ? KernelError("read", path, errno: .noSuchProcess) : error
        }
        return try understood(ProcessStatus(parsing: text), path)
    }

    /// A fresh identifier for every boot: what tells state of this boot from an earlier one's.
    public static func bootID() throws(KernelError) -> String {
        let text = try FileSystem.readText("/proc/sys/kernel/random/boot_id", limit: 256)
        return String(text.prefix { $0 != "\n" })
    }

    public static func memory() throws(KernelError) -> MemoryInformation {
        try understood(MemoryInformation(parsing: try FileSystem.readText("/proc/meminfo")), "/proc/meminfo")
    }

    public static func loadAverage() throws(KernelError) -> LoadAverage {
        try understood(LoadAverage(parsing: try FileSystem.readText("/proc/loadavg")), "/proc/loadavg")
    }

    /// Seconds since 1970.
    public static func bootTime() throws(KernelError) -> Int64 {
        try understood(bootTime(parsing: try FileSystem.readText("/proc/stat", limit: 16 << 20)), "/proc/stat")
    }

    /// Seconds.
    public static func uptimeSeconds() throws(KernelError) -> Double {
        try understood(uptimeSeconds(parsing: try FileSystem.readText("/proc/uptime")), "/proc/uptime")
    }

    /// Processors that are online, at least 1.
    public static func processorCount() -> Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    private static func understood<Value>(_ value: Value?, _ path: String) throws(KernelError) -> Value {
        guard let value else { throw KernelError("parse", path, errno: Errno(rawValue: EBADMSG)) }
        return value
    }
}
