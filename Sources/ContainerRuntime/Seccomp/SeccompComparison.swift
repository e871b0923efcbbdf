/// The instructions that compare one argument, which is 64 bits, in a machine of 32 bits.
struct SeccompComparison {
    /// Where a test leads: on to the next instruction, past all of them, or to where the rule does not match.
    private enum Target {
        case next, matches, fails
    }

    private enum Step {
        case load(high: Bool)
        case and(UInt32)
        case test(SeccompInstruction.Test, UInt32, Target, Target)
    }

    private let argument: UInt32
    private var steps: [Step] = []

    init(_ condition: SeccompCondition, is32Bit: Bool) {
        argument = condition.argument
        let lowOnly = condition.isInt || is32Bit
        switch condition.comparison {
        case .equal(let value): addEqual(value, mask: nil, lowOnly)
        case .masked(let mask, let value): addEqual(value, mask: mask, lowOnly)
        case .notEqual(let value):
            if !lowOnly { addHigh(value) { .test(.equal, $0, .next, .matches) } }
            steps += [.load(high: false), .test(.equal, Self.low(value), .fails, .matches)]
        case .greater(let value): addOrder(.greater, value, lowOnly, holds: true)
        case .greaterOrEqual(let value): addOrder(.greaterOrEqual, value, lowOnly, holds: true)
        case .less(let value): addOrder(.greaterOrEqual, value, lowOnly, holds: false)
        case .lessOrEqual(let value): addOrder(.greater, value, lowOnly, holds: false)
        }
    }

    private static func low(_ value: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: value) }
    private static func high(_ value: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: value >> 32) }

    private mutating func addHigh(_ value: UInt64, _ test: (UInt32) -> Step) {
        steps += [.load(high: true), test(Self.high(value))]
    }

    private mutating func addEqual(_ value: UInt64, mask: UInt64?, _ lowOnly: Bool) {
        if !lowOnly {
            steps.append(.load(high: true))
            if let mask { steps.append(.and(Self.high(mask))) }
            steps.append(.test(.equal, Self.high(value), .next, .fails))
        }
        steps.append(.load(high: false))
        if let mask { steps.append(.and(Self.low(mask))) }
        steps.append(.test(.equal, Self.low(value), .matches, .fails))
    }

    /// `argument > value` or `>=`, or the contrary of it. The high half decides unless it is the same.
    private mutating func addOrder(_ test: SeccompInstruction.Test, _ value: UInt64, _ lowOnly: Bool, holds: Bool) {
        let (above, below): (Target, Target) = holds ? (.matches, .fails) : (.fails, .matches)
        if lowOnly, Self.high(value) != 0 {
            // No argument of 32 bits reaches it.
            steps += [.load(high: false), .test(.greaterOrEqual, 0, below, below)]
            return
        }
        if !lowOnly {
            addHigh(value) { .test(.greater, $0, above, .next) }
            steps.append(.test(.equal, Self.high(value), .next, below))
        }
        steps += [.load(high: false), .test(test, Self.low(value), above, below)]
    }

    /// - Parameter failureDistance: instructions between the end of these and where a rule that does not match goes on.
    func instructions(failureDistance: Int) -> [SeccompInstruction] {
        steps.indices.map { index in
            let rest = steps.count - index - 1
            func distance(_ target: Target) -> UInt8 {
                // At most six conditions of six instructions each: it always fits.
                switch target {
                case .next: 0
                case .matches: UInt8(clamping: rest)
                case .fails: UInt8(clamping: rest + failureDistance)
                }
            }
            switch steps[index] {
            case .load(let high): return .load(16 + 8 * argument + (high ? 4 : 0))
            case .and(let mask): return .and(mask)
            case .test(let test, let operand, let yes, let no):
                return .compare(test, operand, whenTrue: distance(yes), whenFalse: distance(no))
            }
        }
    }
}
