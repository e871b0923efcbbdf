/// Processors by number, as the kernel lists them: `0-2,7`.
public struct CPUSet: Hashable, Sendable, CustomStringConvertible {
    /// No machine has more; a list from outside must not make one.
    private static let limit = 65_536

    public private(set) var numbers: Set<Int>

    public init(_ numbers: some Sequence<Int> = []) {
        self.numbers = Set(numbers)
    }

    /// Nil for what is no list of processors.
    public init?(parsing text: some StringProtocol) {
        numbers = []
        for part in String(text).filter({ !$0.isWhitespace }).split(separator: ",") {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard let first = ends[0], let last = ends.count == 2 ? ends[1] : (ends.count == 1 ? first : nil),
                first >= 0, last >= first, last < Self.limit
            else { return nil }
            numbers.formUnion(first...last)
        }
    }

    public var count: Int { numbers.count }
    public var isEmpty: Bool { numbers.isEmpty }
    public var sorted: [Int] { numbers.sorted() }

    public func union(_ other: CPUSet) -> CPUSet { CPUSet(numbers.union(other.numbers)) }
    public func subtracting(_ other: CPUSet) -> CPUSet { CPUSet(numbers.subtracting(other.numbers)) }
    public func intersection(_ other: CPUSet) -> CPUSet { CPUSet(numbers.intersection(other.numbers)) }
    public func isSubset(of other: CPUSet) -> Bool { numbers.isSubset(of: other.numbers) }

    public var description: String {
        var parts: [String] = []
        var rest = sorted[...]
        while let first = rest.first {
            var last = first
            rest.removeFirst()
            while let next = rest.first, next == last + 1 {
                last = next
                rest.removeFirst()
            }
            parts.append(first == last ? "\(first)" : "\(first)-\(last)")
        }
        return parts.joined(separator: ",")
    }
}
