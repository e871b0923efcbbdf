/// Whether a node is one a pod asks for: `nodeSelector` and node affinity.
public enum NodeSelection {
    public static func matches(_ pod: PodSpec, node: Node) -> Bool {
        let labels = node.metadata.labels ?? [:]
        for (key, value) in pod.nodeSelector ?? [:] where labels[key] != value { return false }
        guard let required = pod.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution else {
            return true
        }
        return matches(required, node: node)
    }

    /// Any one of its terms is enough.
    public static func matches(_ selector: NodeSelector, node: Node) -> Bool {
        selector.nodeSelectorTerms.contains { matches($0, node: node) }
    }

    /// The sum of the weights of the preferences the node fulfils.
    public static func preference(_ pod: PodSpec, node: Node) -> Int64 {
        let terms = pod.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
        return terms.reduce(0) { sum, term in
            // An empty preference matches every node and so says nothing.
            matches(term.preference, node: node) ? sum &+ Int64(term.weight) : sum
        }
    }

    /// All requirements of a term must hold; a term without any matches nothing.
    private static func matches(_ term: NodeSelectorTerm, node: Node) -> Bool {
        let expressions = term.matchExpressions ?? []
        let fields = term.matchFields ?? []
        guard !expressions.isEmpty || !fields.isEmpty else { return false }
        let labels = node.metadata.labels ?? [:]
        return expressions.allSatisfy { matches($0, value: labels[$0.key]) }
            && fields.allSatisfy { $0.key == "metadata.name" && matches($0, value: node.metadata.name) }
    }

    private static func matches(_ requirement: NodeSelectorRequirement, value: String?) -> Bool {
        let values = requirement.values ?? []
        switch requirement.operator {
        case "In": return value.map(values.contains) ?? false
        case "NotIn": return value.map { !values.contains($0) } ?? true
        case "Exists": return value != nil
        case "DoesNotExist": return value == nil
        case "Gt", "Lt":
            guard values.count == 1, let bound = Int64(values[0]), let number = value.flatMap({ Int64($0) }) else {
                return false
            }
            return requirement.operator == "Gt" ? number > bound : number < bound
        default:
            // An operator we do not know may mean anything; refusing is the side on which nothing runs wrongly.
            return false
        }
    }
}
