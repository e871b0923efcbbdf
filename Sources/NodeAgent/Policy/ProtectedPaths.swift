import Volumes

/// Paths that no pod of any source gets, whatever a rule says of the paths around them.
///
/// - `/`, `/proc` and `/sys`, and what is below the latter two, only under a rule with an entry for that very path; the
///   three themselves then for reading only.
/// - The node's own state and sockets never: who reads them is the node. (A rule with the entry `/: readOnly` shows them
///   with everything else.)
/// - The containers' logs for reading only: whoever writes there writes what other pods are held to have said.
public struct ProtectedPaths: Hashable, Sendable {
    var sealed: [HostPath]
    var logs: [HostPath]

    private static let kernel = ["/proc", "/sys"].compactMap(HostPath.init)

    /// - Parameters:
    ///   - sealed: the node's root and run directory, each also as where it leads.
    ///   - logs: the directories of the containers' logs, likewise.
    public init(sealed: [String], logs: [String]) {
        self.sealed = Array(Set(sealed.compactMap(HostPath.init)))
        self.logs = Array(Set(logs.compactMap(HostPath.init)))
    }

    /// The most that a rule with these entries can give, and why it is not more.
    func limit(of path: HostPath, _ grants: HostPathGrants) -> (access: HostPathAccess, reason: String) {
        let named = grants.entries[path] ?? .none
        // To allow writing below / is not to allow reading all of it.
        let mostOfRoots = named == .readOnly ? HostPathAccess.readOnly : .none
        if path.isRoot {
            return (mostOfRoots, "/ is the whole host: it takes a rule with the entry \"/: readOnly\"")
        }
        if let own = sealed.first(where: { $0.holds(path) || path.holds($0) }) {
            return (.none, "\(own) is the node's own, and no rule can allow it")
        }
        if let kernel = Self.kernel.first(where: { $0.holds(path) }) {
            let reason = "\(kernel) is the kernel's: it takes a rule with the entry \"\(path): readOnly\""
            return (path == kernel ? mostOfRoots : named, reason)
        }
        if let logs = logs.first(where: { $0.holds(path) || path.holds($0) }) {
            return (.readOnly, "\(logs) holds the logs of all containers, which pods may only read: mount it readOnly")
        }
        return (.readWrite, "")
    }

    /// The most that a rule that names the path can give.
    func mostByRule(for path: HostPath) -> HostPathAccess {
        let best = HostPathAccess.allCases.map { limit(of: path, HostPathGrants([path: $0])).access }
        return best.max() ?? .none
    }
}
