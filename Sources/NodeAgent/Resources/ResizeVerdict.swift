/// What the node says to a change of a running pod's resources.
public enum ResizeVerdict: Hashable, Sendable {
    case granted
    /// The node does not know all of its pods yet.
    case undecided
    /// Not now, but when others need less.
    case deferred(String)
    /// Never on this node.
    case infeasible(String)
}
