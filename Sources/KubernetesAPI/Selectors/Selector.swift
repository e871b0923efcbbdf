/// Conditions on labels that must all hold: what `kubectl -l` and list requests take.
public struct Selector: Hashable, Sendable {
    /// In the order of their keys.
    public let requirements: [SelectorRequirement]
    private let matchesNothing: Bool

    public init(_ requirements: [SelectorRequirement]) {
        self.requirements = requirements.sorted { $0.key < $1.key }
        matchesNothing = false
    }

    private init(matchesNothing: Bool) {
        requirements = []
        self.matchesNothing = matchesNothing
    }

    /// Selects every object.
    public static let everything = Selector(matchesNothing: false)
    /// Selects no object.
    public static let nothing = Selector(matchesNothing: true)

    /// Reads `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1,m<2`; an empty text selects everything.
    public init(parsing text: String) throws(SelectorError) {
        guard text.utf8.count <= 65_536 else { throw SelectorError("the label selector is longer than 65536 bytes") }
        var parser = SelectorParser(text)
        self.init(try parser.parse())
    }

    /// Selects objects that have all of these labels.
    public init(equalTo labels: [String: String]) throws(SelectorError) {
        var requirements: [SelectorRequirement] = []
        for (key, value) in labels {
            requirements.append(try SelectorRequirement(key: key, operation: .isIn, values: [value]))
        }
        self.init(requirements)
    }

    public var isEverything: Bool { requirements.isEmpty && !matchesNothing }

    public func matches(_ labels: [String: String]) -> Bool {
        matches { labels[$0] }
    }

    /// - Parameter value: looks a label up; nil when it is missing.
    public func matches(_ value: (String) -> String?) -> Bool {
        !matchesNothing && requirements.allSatisfy { $0.matches(value($0.key)) }
    }
}

extension Selector: CustomStringConvertible {
    /// The text form, which parses back to an equal selector.
    public var description: String {
        requirements.map(\.description).joined(separator: ",")
    }
}
