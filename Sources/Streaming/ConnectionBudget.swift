internal import Synchronization

/// How many connections into pods all sessions may hold together: each costs a descriptor.
public final class ConnectionBudget: Sendable {
    private let limit: Int
    private let open = Mutex(0)

    public init(limit: Int) {
        self.limit = limit
    }

    /// False when there is none left; else ``giveBack()`` must follow.
    public func take() -> Bool {
        open.withLock { open in
            guard open < limit else { return false }
            open += 1
            return true
        }
    }

    public func giveBack() { open.withLock { $0 -= 1 } }
}
