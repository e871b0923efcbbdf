/// Nodes: the agent registers its node together with its first status, so a creation keeps it.
struct NodeStrategy: ResourceStrategy {
    var hasStatus: Bool { true }
}
