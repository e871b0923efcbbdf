/// What an argument of a system call must be for a rule to match.
struct SeccompCondition: Hashable, Sendable {
    enum Comparison: Hashable, Sendable {
        case equal(UInt64), notEqual(UInt64)
        case less(UInt64), lessOrEqual(UInt64), greater(UInt64), greaterOrEqual(UInt64)
        /// `argument & mask == value`.
        case masked(mask: UInt64, value: UInt64)
    }

    /// 0...5.
    var argument: UInt32
    var comparison: Comparison
    /// Only the low half counts: the kernel takes an `int`, and drops what a program leaves in the high half. A rule that
    /// looked there could be fooled by it.
    var isInt = false

    init(_ argument: UInt32, _ comparison: Comparison, isInt: Bool = false) {
        self.argument = argument
        self.comparison = comparison
        self.isInt = isInt
    }
}
