/// One condition on one label.
public struct SelectorRequirement: Hashable, Sendable {
    public enum Operation: Hashable, Sendable {
        /// The label is there and has one of the values.
        case isIn
        /// The label is missing or has none of the values.
        case notIn
        case exists
        case doesNotExist
        /// The label is there and is an integer above the value.
        case greaterThan
        /// The label is there and is an integer below the value.
        case lessThan
    }

    public let key: String
    public let operation: Operation
    /// Sorted, without duplicates.
    public let values: [String]

    /// - Throws: when the key is no label key, a value no label value, or their number does not fit the operation.
    public init(key: String, operation: Operation, values: some Sequence<String> = []) throws(SelectorError) {
        let values = Set(values).sorted()
        if let flaw = LabelSyntax.flaw(inKey: key) {
            throw SelectorError("label key \(LabelSyntax.quote(key)): \(flaw)")
        }
        switch operation {
        case .isIn, .notIn:
            guard !values.isEmpty else {
                throw SelectorError("label \(key): for in and notin operators, the set of values can't be empty")
            }
        case .exists, .doesNotExist:
            guard values.isEmpty else {
                throw SelectorError("label \(key): the set of values must be empty for exists and does not exist")
            }
        case .greaterThan, .lessThan:
            guard values.count == 1, Int64(values[0]) != nil else {
                throw SelectorError("label \(key): for greater and less than, exactly one integer is required")
            }
        }
        for value in values {
            if let flaw = LabelSyntax.flaw(inValue: value) {
                throw SelectorError("label \(key): value \(LabelSyntax.quote(value)): \(flaw)")
            }
        }
        self.key = key
        self.operation = operation
        self.values = values
    }

    /// - Parameter value: the label's value; nil when it is missing.
    public func matches(_ value: String?) -> Bool {
        switch operation {
        case .isIn: value.map(values.contains) ?? false
        case .notIn: value.map { !values.contains($0) } ?? true
        case .exists: value != nil
        case .doesNotExist: value == nil
        case .greaterThan: compare(value) { $0 > $1 }
        case .lessThan: compare(value) { $0 < $1 }
        }
    }

    private func compare(_ value: String?, _ holds: (Int64, Int64) -> Bool) -> Bool {
        guard let value, let left = Int64(value), let right = values.first.flatMap({ Int64($0) }) else { return false }
        return holds(left, right)
    }
}

extension SelectorRequirement: CustomStringConvertible {
    public var description: String {
        let list = values.joined(separator: ",")
        switch operation {
        case .isIn: return values.count == 1 ? "\(key)=\(list)" : "\(key) in (\(list))"
        case .notIn: return values.count == 1 ? "\(key)!=\(list)" : "\(key) notin (\(list))"
        case .exists: return key
        case .doesNotExist: return "!\(key)"
        case .greaterThan: return "\(key)>\(list)"
        case .lessThan: return "\(key)<\(list)"
        }
    }
}
