/// How long tasks waited for a resource: `/proc/pressure/*` and the `*.pressure` files of a cgroup.
public struct PressureStallInformation: Hashable, Sendable {
    public enum Resource: String, Hashable, Sendable, CaseIterable {
        case cpu
        case memory
        case io
    }

    public struct Stall: Hashable, Sendable {
        /// Share of the last 10, 60 and 300 seconds, in percent.
        public let average10: Double
        public let average60: Double
        public let average300: Double
        /// All stall time since boot, or since the cgroup was made.
        public let totalMicroseconds: UInt64

        public init(average10: Double, average60: Double, average300: Double, totalMicroseconds: UInt64) {
            self.average10 = average10
            self.average60 = average60
            self.average300 = average300
            self.totalMicroseconds = totalMicroseconds
        }
    }

    /// At least one task waited.
    public let some: Stall
    /// All tasks waited at once; not kept for the CPU of the whole system before Linux 5.13.
    public let full: Stall?

    public init(some: Stall, full: Stall?) {
        self.some = some
        self.full = full
    }

    /// `nil` for a text that is no pressure file.
    public init?(parsing text: String) {
        var some: Stall?
        var full: Stall?
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            switch fields.first {
            case "some": some = Stall(fields.dropFirst())
            case "full": full = Stall(fields.dropFirst())
            default: continue
            }
        }
        guard let some else { return nil }
        self.init(some: some, full: full)
    }

    /// The whole system's; `nil` when the kernel keeps none (CONFIG_PSI off, or booted with psi=0).
    public static func system(_ resource: Resource) throws(KernelError) -> PressureStallInformation? {
        try CgroupFile.read("/proc/pressure/" + resource.rawValue) { bytes in
            PressureStallInformation(parsing: String(decoding: bytes, as: UTF8.self))
        } ?? nil
    }
}

extension PressureStallInformation.Stall {
    fileprivate init?(_ fields: some Sequence<Substring>) {
        var values: [Substring: Substring] = [:]
        for field in fields {
            guard let equals = field.firstIndex(of: "=") else { return nil }
            values[field[..<equals]] = field[field.index(after: equals)...]
        }
        guard let ten = values["avg10"].flatMap({ Double($0) }), let sixty = values["avg60"].flatMap({ Double($0) }),
            let threeHundred = values["avg300"].flatMap({ Double($0) }),
            let total = values["total"].flatMap({ UInt64($0) })
        else { return nil }
        self.init(average10: ten, average60: sixty, average300: threeHundred, totalMicroseconds: total)
    }
}
