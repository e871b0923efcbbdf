import Glibc

/// Turns a profile into a filter. Pure but for libseccomp's tables of names and numbers.
///
/// The program is made here rather than by libseccomp, which cannot name calls newer than itself, takes a condition on
/// `socket` for a permission of everything behind 32-bit `socketcall`, and spends two instructions on every call: here
/// neighbours with the same fate share one, in a binary search.
struct SeccompCompiler {
    private let profile: SeccompProfile

    static func compile(_ profile: SeccompProfile) throws(SeccompProfileError) -> SeccompProgram {
        try SeccompCompiler(profile: profile).program()
    }

    private func program() throws(SeccompProfileError) -> SeccompProgram {
        var listed = profile.architectures
        listed.insert(.native)
        var instructions: [SeccompInstruction] = [.load(4)]
        var done: Set<UInt32> = []
        for architecture in listed.sorted(by: { $0.preference < $1.preference })
        where done.insert(architecture.auditToken).inserted {
            var fates = Fates(startingWith: profile.defaultAction)
            add(architecture, to: &fates)
            if architecture.auditToken == SeccompArchitecture.x32.auditToken {
                // A kernel without x32 answers so, and distributions' kernels are.
                fates.set(from: SeccompArchitecture.x32Bit, .answer(.error(UInt16(ENOSYS))))
                if listed.contains(.x32) { add(.x32, to: &fates) }
            }
            let block = [.load(0)] + Self.search(fates.ranges[...], is32Bit: architecture.is32Bit)
            instructions.append(.compare(.equal, architecture.auditToken, whenTrue: 1))
            instructions.append(.skip(block.count))
            instructions += block
        }
        // Some other convention: whatever the rules say, nobody has said it of these calls.
        instructions.append(.answer(.killProcess))
        guard instructions.count <= SeccompProgram.maximumLength else {
            throw SeccompProfileError(
                "syscalls",
                "the filter has \(instructions.count) instructions, and the kernel takes "
                    + "\(SeccompProgram.maximumLength): use fewer conditions")
        }
        return SeccompProgram(instructions: instructions)
    }

    // MARK: Rules

    private struct Alternative: Hashable {
        var conditions: [SeccompCondition]
        var action: SeccompAction
    }

    /// What becomes of a range of numbers.
    private enum Fate: Hashable {
        case answer(SeccompAction)
        /// The first whose conditions hold; the last has none.
        case alternatives([Alternative])
    }

    /// Every number with its fate, as ranges that each begin where the one before ends.
    private struct Fates {
        private(set) var ranges: [(start: UInt32, fate: Fate)]

        init(startingWith action: SeccompAction) { ranges = [(0, .answer(action))] }

        private func index(of number: UInt32) -> Int {
            var (low, high) = (0, ranges.count)
            while high - low > 1 {
                let middle = (low + high) / 2
                if ranges[middle].start <= number { low = middle } else { high = middle }
            }
            return low
        }

        /// All numbers from here on.
        mutating func set(from start: UInt32, _ fate: Fate) {
            ranges.removeAll { $0.start >= start }
            ranges.append((start, fate))
        }

        mutating func set(_ number: UInt32, _ fate: Fate) {
            let index = index(of: number)
            let old = ranges[index].fate
            if old == fate { return }
            let end: UInt64 = index + 1 < ranges.count ? UInt64(ranges[index + 1].start) : 1 << 32
            var pieces: [(start: UInt32, fate: Fate)] = []
            if ranges[index].start < number { pieces.append((ranges[index].start, old)) }
            if pieces.isEmpty, index > 0, ranges[index - 1].fate == fate {
                // The range before grows by it.
            } else {
                pieces.append((number, fate))
            }
            if UInt64(number) + 1 < end {
                pieces.append((number + 1, old))
            } else if index + 1 < ranges.count, ranges[index + 1].fate == fate {
                ranges.remove(at: index + 1)
            }
            ranges.replaceSubrange(index...index, with: pieces)
        }
    }

    private func add(_ architecture: SeccompArchitecture, to fates: inout Fates) {
        var byNumber: [UInt32: [Alternative]] = [:]
        var newest: UInt32?
        for rule in profile.rules {
            for name in rule.names {
                let number = architecture.number(of: name)
                if let number, number & ~SeccompArchitecture.x32Bit < SeccompArchitecture.privateCalls {
                    newest = max(newest ?? 0, number)
                }
                let alternative = Alternative(conditions: rule.conditions, action: rule.action)
                if let number { byNumber[number, default: []].append(alternative) }
                if architecture == .x86, rule.reachesMultiplexed { addMultiplexed(name, alternative, to: &byNumber) }
            }
        }
        if let newest, !profile.defaultAction.letsThrough {
            let base = architecture == .x32 ? SeccompArchitecture.x32Bit : 0
            fates.set(from: base, .answer(profile.defaultAction))
            fates.set(from: newest + 1, .answer(.error(UInt16(ENOSYS))))
            // Private calls of 32-bit ARM are none of the future's.
            if architecture == .arm {
                fates.set(from: SeccompArchitecture.privateCalls, .answer(profile.defaultAction))
            }
        } else if architecture == .x32 {
            fates.set(from: SeccompArchitecture.x32Bit, .answer(profile.defaultAction))
        }
        for (number, alternatives) in byNumber.sorted(by: { $0.key < $1.key }) {
            fates.set(number, fate(of: alternatives))
        }
    }

    /// Behind a multiplexer a filter sees which call is meant and not its arguments. A rule without conditions holds there as
    /// well; one with conditions refuses the call whatever they are, if it refuses, and otherwise permits nothing.
    private func addMultiplexed(
        _ name: String, _ alternative: Alternative, to byNumber: inout [UInt32: [Alternative]]
    ) {
        guard let call = SeccompArchitecture.MultiplexedCall.byName[name] else { return }
        guard alternative.conditions.isEmpty || !alternative.action.letsThrough else { return }
        byNumber[call.multiplexer, default: []].append(
            Alternative(conditions: [call.condition], action: alternative.action))
    }

    /// The strictest first; equally strict ones in their order.
    private func fate(of alternatives: [Alternative]) -> Fate {
        let sorted = alternatives.enumerated().sorted { first, second in
            let (one, other) = (first.element.action.strictness, second.element.action.strictness)
            return one != other ? one < other : first.offset < second.offset
        }.map(\.element)
        var chosen: [Alternative] = []
        for alternative in sorted {
            if chosen.contains(alternative) { continue }
            chosen.append(alternative)
            if alternative.conditions.isEmpty { break }
        }
        if chosen.last?.conditions.isEmpty != true {
            chosen.append(Alternative(conditions: [], action: profile.defaultAction))
        }
        return chosen.count == 1 ? .answer(chosen[0].action) : .alternatives(chosen)
    }

    // MARK: Instructions

    /// Binary search for the number, which is loaded. Every way through ends in an answer.
    private static func search(
        _ ranges: ArraySlice<(start: UInt32, fate: Fate)>, is32Bit: Bool
    ) -> [SeccompInstruction] {
        guard ranges.count > 1 else {
            switch ranges.first?.fate {
            case .none: return [.answer(.killProcess)]
            case .answer(let action): return [.answer(action)]
            case .alternatives(let alternatives):
                return alternatives.flatMap { alternative in
                    conditions(alternative.conditions, is32Bit: is32Bit) + [.answer(alternative.action)]
                }
            }
        }
        let middle = ranges.startIndex + ranges.count / 2
        let below = search(ranges[..<middle], is32Bit: is32Bit)
        let above = search(ranges[middle...], is32Bit: is32Bit)
        let start = ranges[middle].start
        if let distance = UInt8(exactly: below.count) {
            return [.compare(.greaterOrEqual, start, whenTrue: distance)] + below + above
        }
        return [.compare(.greaterOrEqual, start, whenFalse: 1), .skip(below.count)] + below + above
    }

    /// Falls through to what follows when all hold, and otherwise jumps over the one instruction after.
    private static func conditions(_ conditions: [SeccompCondition], is32Bit: Bool) -> [SeccompInstruction] {
        var code: [SeccompInstruction] = []
        for condition in conditions.reversed() {
            // Its own instructions, then those of the conditions after it, then the answer.
            code = SeccompComparison(condition, is32Bit: is32Bit).instructions(failureDistance: code.count + 1) + code
        }
        return code
    }
}

extension SeccompArchitecture {
    /// The native one is asked for first: it is nearly every call's.
    fileprivate var preference: Int {
        switch self {
        case .native: 0
        case .x86_64, .aarch64: 1
        case .x86, .arm: 2
        case .x32: 3
        }
    }
}
