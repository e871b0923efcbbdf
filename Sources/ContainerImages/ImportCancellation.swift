import Synchronization

/// Carries a task's cancellation to the thread that does its work.
final class ImportCancellation: Sendable {
    private let cancelled = Atomic(false)

    func cancel() { cancelled.store(true, ordering: .relaxed) }

    func check(_ subject: String) throws(ImageError) {
        if cancelled.load(ordering: .relaxed) { throw ImageError(.cancelled, "\(subject): the import was cancelled") }
    }
}
