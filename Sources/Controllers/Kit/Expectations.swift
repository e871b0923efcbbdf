import KubernetesAPI
import KubernetesClient
import Synchronization

/// What a controller has done that its informer does not show yet. Until it does, another decision would do it twice.
final class Expectations: Sendable {
    /// A change that has not shown up by then never will: it was undone before anyone saw it.
    static let patience = Duration.seconds(10)

    private struct Pending {
        var created: Set<String> = []
        var deleted: Set<String> = []
        var due: ContinuousClock.Instant
    }

    private let pending = Mutex<[ObjectKey: Pending]>([:])

    func created(_ uid: String, for key: ObjectKey) {
        pending.withLock {
            $0[key, default: Pending(due: .now + Self.patience)].created.insert(uid)
            $0[key]?.due = .now + Self.patience
        }
    }

    func deleted(_ uid: String, for key: ObjectKey) {
        pending.withLock {
            $0[key, default: Pending(due: .now + Self.patience)].deleted.insert(uid)
            $0[key]?.due = .now + Self.patience
        }
    }

    /// Compares with what the informer shows; nil when nothing is outstanding, else the time to look again at the latest.
    /// - Parameters:
    ///   - present: uids of the objects that exist.
    ///   - leaving: uids of those among them whose deletion has begun.
    func outstanding(_ key: ObjectKey, present: Set<String>, leaving: Set<String>) -> Duration? {
        pending.withLock { pending in
            guard var own = pending[key] else { return nil }
            own.created.subtract(present)
            own.deleted = own.deleted.filter { present.contains($0) && !leaving.contains($0) }
            let now = ContinuousClock.now
            if own.created.isEmpty && own.deleted.isEmpty || own.due <= now {
                pending[key] = nil
                return nil
            }
            pending[key] = own
            return own.due - now
        }
    }

    func forget(_ key: ObjectKey) { pending.withLock { $0[key] = nil } }
}
