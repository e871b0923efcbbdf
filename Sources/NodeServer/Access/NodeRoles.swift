/// Rights that need no question to anybody.
public struct NodeRoles: Hashable, Sendable {
    private struct Rule: Hashable, Sendable {
        let group: String
        /// Nil for every one.
        let verbs: Set<String>?
        let subresources: Set<String>?
    }

    private let rules: [Rule]

    /// A node that joined an API server: that alone decides.
    public static let none = NodeRoles(rules: [])

    /// A node with its endpoint beside it: what the endpoint's own groups may, even while it is too busy to answer. What it says of
    /// others counts besides.
    public static let alone = NodeRoles(rules: [
        Rule(group: "system:masters", verbs: nil, subresources: nil),
        Rule(group: "system:monitoring", verbs: ["get"], subresources: ["healthz", "metrics", "stats"]),
    ])

    func allows(_ caller: NodeCaller, verb: String, subresource: String) -> Bool {
        rules.contains {
            caller.groups.contains($0.group) && $0.verbs?.contains(verb) != false
                && $0.subresources?.contains(subresource) != false
        }
    }
}
