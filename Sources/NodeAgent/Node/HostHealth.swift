import Glibc

/// Looks, when the node's status is computed, whether the agent's own place is one to work in. What pods would run out of is
/// ``EvictionManager``'s.
public struct HostHealth: NodeHealthSource {
    private let stateDirectory: String

    public init(stateDirectory: String) {
        self.stateDirectory = stateDirectory
    }

    public func nodeProblems() async -> [NodeProblem] {
        var status = statvfs()
        guard statvfs(stateDirectory, &status) == 0 else {
            return [NodeProblem(condition: .notReady, message: "\(stateDirectory) cannot be examined")]
        }
        guard status.f_flag & UInt(ST_RDONLY) != 0 else { return [] }
        return [
            NodeProblem(condition: .notReady, message: "StorageReadOnly: \(stateDirectory) is mounted read-only")
        ]
    }
}
