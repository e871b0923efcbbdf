public import KubernetesAPI

/// What a pod may do with a path of the host. Ordered: the least comes first.
public enum HostPathAccess: String, Hashable, Sendable, CaseIterable, Comparable {
    case none, readOnly, readWrite

    public static func < (left: HostPathAccess, right: HostPathAccess) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .none: 0
        case .readOnly: 1
        case .readWrite: 2
        }
    }
}

/// Who decides what pods may do with paths of the host.
public protocol HostPathGuarding: Sendable {
    /// - Parameters:
    ///   - path: where the path of the pod leads: absolute, free of links and `..`.
    /// - Returns: what the pod may do with it and with everything below it.
    func access(of pod: Pod, to path: String) -> HostPathAccess
}

/// No path for anybody: the guard of those who mount nothing.
public struct NoHostPaths: HostPathGuarding {
    public init() {}

    public func access(of pod: Pod, to path: String) -> HostPathAccess { .none }
}
