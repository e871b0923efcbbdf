/// A label query inside an object (`metav1.LabelSelector`): all of its parts must hold. An empty one selects
/// everything, an absent one nothing.
public struct LabelSelector: Codable, Hashable, Sendable {
    public var matchLabels: [String: String]?
    public var matchExpressions: [LabelSelectorRequirement]?

    public init(matchLabels: [String: String]? = nil, matchExpressions: [LabelSelectorRequirement]? = nil) {
        self.matchLabels = matchLabels
        self.matchExpressions = matchExpressions
    }

    /// The same query in a form that can be evaluated.
    public func selector() throws(SelectorError) -> Selector {
        var requirements: [SelectorRequirement] = []
        for (key, value) in matchLabels ?? [:] {
            requirements.append(try SelectorRequirement(key: key, operation: .isIn, values: [value]))
        }
        for expression in matchExpressions ?? [] {
            requirements.append(try expression.requirement())
        }
        return Selector(requirements)
    }
}

/// One expression of a ``LabelSelector``.
public struct LabelSelectorRequirement: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var key: String
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    @ZeroIfAbsent public var `operator`: String
    public var values: [String]?

    public init(key: String = "", operator: String = "", values: [String]? = nil) {
        self.key = key
        self.operator = `operator`
        self.values = values
    }

    func requirement() throws(SelectorError) -> SelectorRequirement {
        let operation: SelectorRequirement.Operation
        switch self.operator {
        case "In": operation = .isIn
        case "NotIn": operation = .notIn
        case "Exists": operation = .exists
        case "DoesNotExist": operation = .doesNotExist
        default:
            throw SelectorError(
                "label \(key): \(LabelSyntax.quote(self.operator)) is not a valid label selector operator; "
                    + "use In, NotIn, Exists or DoesNotExist")
        }
        return try SelectorRequirement(key: key, operation: operation, values: values ?? [])
    }
}
