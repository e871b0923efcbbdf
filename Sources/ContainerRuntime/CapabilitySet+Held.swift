import LinuxKernel

extension CapabilitySet {
    /// Every capability of any kernel, those of later ones included. Meets ``held`` before it reaches the kernel.
    public static let everything = CapabilitySet(mask: .max)

    public func intersection(_ other: CapabilitySet) -> CapabilitySet { CapabilitySet(mask: mask & other.mask) }

    public func subtracting(_ other: CapabilitySet) -> CapabilitySet { CapabilitySet(mask: mask & ~other.mask) }

    /// What this process can give to a container: permitted to it, and in its bounding set. On a host without restrictions that
    /// is every capability of its kernel. Read once: a process that runs does not get more.
    public static let held: CapabilitySet = held(
        status: (try? FileSystem.readText("/proc/self/status", limit: 1 << 16)) ?? "")

    /// - Parameter status: proc_pid_status(5). Nothing is held by a process without readable lines.
    static func held(status: String) -> CapabilitySet {
        func mask(_ name: String) -> UInt64 {
            let line = status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
            return line?.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) } ?? 0
        }
        return CapabilitySet(mask: mask("CapPrm") & mask("CapBnd"))
    }

    /// The names, sorted by the kernel's numbers; what has no name here as `CAP_41`.
    public var names: [String] {
        (UInt8(0)..<64).filter { mask & 1 << UInt64($0) != 0 }.map { number in
            Capability(rawValue: number).map { "\($0)" } ?? "CAP_\(number)"
        }
    }
}
