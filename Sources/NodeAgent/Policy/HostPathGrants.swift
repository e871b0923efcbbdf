public import Volumes

/// What pods may do with which paths of the host. A path has the access of the longest entry that holds it; a path that
/// no entry holds has none.
public struct HostPathGrants: Hashable, Sendable {
    public var entries: [HostPath: HostPathAccess]

    public init(_ entries: [HostPath: HostPathAccess] = [:]) {
        self.entries = entries
    }

    /// For paths that are written in the source: what is no path is left out.
    init(literals: [String: HostPathAccess]) {
        entries = [:]
        for (path, access) in literals { if let path = HostPath(path) { entries[path] = access } }
    }

    /// What may be done with everything that a mount of the path shows: entries below the path count as well.
    func access(to path: HostPath) -> (access: HostPathAccess, entry: HostPath?) {
        let holder = entries.filter { $0.key.holds(path) }.max { $0.key.components.count < $1.key.components.count }
        let least = entries.filter { path.holds($0.key) && $0.key != path }
            .min { ($0.value, $0.key.description) < ($1.value, $1.key.description) }
        let access = holder?.value ?? .none
        if let least, least.value < access { return (least.value, least.key) }
        return (access, holder?.key)
    }
}
