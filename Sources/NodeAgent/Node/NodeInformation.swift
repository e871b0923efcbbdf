import Glibc
import KubernetesAPI
public import LinuxKernel

/// What the machine and its system are, as far as the Node object tells.
public struct NodeInformation: Sendable, Hashable {
    public var processors: Int64
    /// Bytes, as are all amounts below.
    public var memory: Int64
    public var swap: Int64
    /// Of the file system that holds the agent's state.
    public var ephemeralStorage: Int64
    public var hugePages: [HugePagePool]
    /// How many tasks the kernel can have.
    public var processes: Int64?
    public var machineID: String
    public var systemUUID: String
    /// Changes with every boot.
    public var bootID: String
    public var kernelVersion: String
    public var osImage: String
    /// As Go names it: `amd64`, `arm64`.
    public var architecture: String

    public init(
        processors: Int64, memory: Int64, swap: Int64 = 0, ephemeralStorage: Int64 = 0,
        hugePages: [HugePagePool] = [], processes: Int64? = nil, machineID: String = "",
        systemUUID: String = "", bootID: String = "", kernelVersion: String = "", osImage: String = "",
        architecture: String = ""
    ) {
        self.processors = processors
        self.memory = memory
        self.swap = swap
        self.ephemeralStorage = ephemeralStorage
        self.hugePages = hugePages
        self.processes = processes
        self.machineID = machineID
        self.systemUUID = systemUUID
        self.bootID = bootID
        self.kernelVersion = kernelVersion
        self.osImage = osImage
        self.architecture = architecture
    }

    /// Asks the kernel and reads the system's files. Blocking; what cannot be read stays empty or zero.
    ///
    /// - Parameter stateDirectory: of the agent; it need not exist yet.
    public static func discover(stateDirectory: String) -> NodeInformation {
        let memory = try? ProcFS.memory()
        let machineID = machineID(texts: ["/etc/machine-id", "/var/lib/dbus/machine-id"].map(text))
        var system = utsname()
        _ = uname(&system)
        return NodeInformation(
            processors: Int64(ProcFS.processorCount()), memory: Int64(clamping: memory?.totalBytes ?? 0),
            swap: Int64(clamping: memory?.swapTotalBytes ?? 0), ephemeralStorage: fileSystemBytes(of: stateDirectory),
            hugePages: HugePagePool.discover(), processes: processes(),
            machineID: machineID,
            systemUUID: systemUUID(
                texts: ["/sys/class/dmi/id/product_uuid", "/proc/device-tree/vm,uuid"].map(text), machineID: machineID),
            bootID: (try? ProcFS.bootID()) ?? "", kernelVersion: string(&system.release),
            osImage: osImage(osRelease: text("/etc/os-release") ?? text("/usr/lib/os-release")),
            architecture: goArchitecture(machine: string(&system.machine)))
    }

    private static func text(_ path: String) -> String? { try? FileSystem.readText(path, limit: 64 << 10) }

    private static func string<Field>(_ field: inout Field) -> String {
        withUnsafeBytes(of: &field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// The size of the file system a path is, or would be, on.
    private static func fileSystemBytes(of path: String) -> Int64 {
        var path = path
        while true {
            var status = statvfs()
            if statvfs(path, &status) == 0 {
                let (bytes, overflow) = UInt64(status.f_blocks).multipliedReportingOverflow(by: UInt64(status.f_frsize))
                return overflow ? .max : Int64(clamping: bytes)
            }
            guard let slash = path.lastIndex(of: "/"), path != "/" else { return 0 }
            path = slash == path.startIndex ? "/" : String(path[..<slash])
        }
    }

    /// Each number of a task comes from one space, and the kernel also bounds how many it makes.
    private static func processes() -> Int64? {
        ["/proc/sys/kernel/pid_max", "/proc/sys/kernel/threads-max"].compactMap { text($0) }
            .compactMap { Int64($0.prefix { $0.isNumber }) }.min()
    }

    // MARK: Reading texts

    /// The first text that is one; machine-id(5).
    static func machineID(texts: [String?]) -> String {
        texts.lazy.compactMap { $0.map(trimmed) }.first { !$0.isEmpty && $0 != "uninitialized" } ?? ""
    }

    /// The firmware's UUID; on machines without one, the machine ID in its place.
    static func systemUUID(texts: [String?], machineID: String) -> String {
        texts.lazy.compactMap { $0.map(trimmed) }.first { !$0.isEmpty } ?? machineID
    }

    /// `PRETTY_NAME` of os-release(5).
    static func osImage(osRelease: String?) -> String {
        for line in (osRelease ?? "").split(whereSeparator: \.isNewline) {
            let line = trimmed(String(line))
            guard line.hasPrefix("PRETTY_NAME=") else { continue }
            return unquoted(String(line.dropFirst("PRETTY_NAME=".count)))
        }
        // What the format prescribes for systems that do not say.
        return "Linux"
    }

    /// A value as a shell would read it: quotes go, and backslashes before what they protect.
    private static func unquoted(_ value: String) -> String {
        var value = value[...]
        if let quote = value.first, quote == "\"" || quote == "'" {
            value = value.dropFirst()
            if value.last == quote { value = value.dropLast() }
            if quote == "'" { return String(value) }
        }
        var result = ""
        var isEscaped = false
        for character in value {
            if character == "\\", !isEscaped {
                isEscaped = true
                continue
            }
            result.append(character)
            isEscaped = false
        }
        return result
    }

    private static func trimmed(_ text: String) -> String {
        let isBlank: (Character) -> Bool = { $0.isWhitespace || $0 == "\0" }
        let start = text.drop(while: isBlank)
        guard let end = start.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(start[...end])
    }

    /// Kubernetes names architectures as Go does.
    static func goArchitecture(machine: String) -> String {
        switch machine {
        case "x86_64": "amd64"
        case "aarch64": "arm64"
        case "i386", "i486", "i586", "i686": "386"
        case "ppc64le", "s390x", "riscv64": machine
        case "loongarch64": "loong64"
        case _ where machine.hasPrefix("armv"): "arm"
        default: machine
        }
    }
}
