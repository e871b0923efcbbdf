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
        var text = text
        guard let read = text.withUTF8({ Self(bytes: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = read
    }

    /// As ``init(parsing:)``, without making strings: a scrape reads three such files of every cgroup.
    init?(bytes: UnsafeRawBufferPointer) {
        var some: Stall?
        var full: Stall?
        for line in bytes.split(separator: 0x0A) {
            let fields = line.split(separator: 0x20)
            guard let first = fields.first else { continue }
            switch CgroupFile.Key(bytes: UnsafeRawBufferPointer(rebasing: first)) {
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
        try CgroupFile.read("/proc/pressure/" + resource.rawValue, Self.init(bytes:)) ?? nil
    }
}

extension PressureStallInformation.Stall {
    /// `avg10=0.00 avg60=0.00 avg300=0.00 total=0`, in any order; all four must be there.
    fileprivate init?(_ fields: ArraySlice<Slice<UnsafeRawBufferPointer>>) {
        var averages: (ten: Double?, sixty: Double?, threeHundred: Double?)
        var total: UInt64?
        for field in fields {
            guard let equals = field.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            let value = UnsafeRawBufferPointer(rebasing: field[(equals + 1)...])
            switch CgroupFile.Key(bytes: UnsafeRawBufferPointer(rebasing: field[..<equals])) {
            case "avg10": averages.ten = Self.percent(value)
            case "avg60": averages.sixty = Self.percent(value)
            case "avg300": averages.threeHundred = Self.percent(value)
            case "total": total = CgroupFile.number(value)
            default: continue
            }
        }
        guard let ten = averages.ten, let sixty = averages.sixty, let threeHundred = averages.threeHundred, let total
        else { return nil }
        self.init(average10: ten, average60: sixty, average300: threeHundred, totalMicroseconds: total)
    }

    /// `12.34`: the kernel writes two digits behind the point.
    private static func percent(_ bytes: UnsafeRawBufferPointer) -> Double? {
        guard let whole = CgroupFile.number(bytes) else { return nil }
        guard let point = bytes.firstIndex(of: UInt8(ascii: ".")) else { return Double(whole) }
        let digits = UnsafeRawBufferPointer(rebasing: bytes[(point + 1)...].prefix(2))
        guard digits.count == 2, let hundredths = CgroupFile.number(digits) else { return nil }
        return Double(whole) + Double(hundredths) / 100
    }
}
