import KubernetesAPI
import KubernetesClient

/// One watch: carries the history on from a version, late, sometimes twice or swapped, until it breaks.
///
/// `@unchecked Sendable`: only the thread that runs the world touches it.
final class SimulatedWatch: @unchecked Sendable {
    private let world: World
    private let incarnation: Incarnation
    private let continuation: AsyncThrowingStream<ResourceWatchEvent<Pod>, any Error>.Continuation
    private var sentUpTo: UInt64
    private var queue: [SimulatedAPI.Record] = []
    private var number: UInt64?
    private var isOpen = false
    private var isPumping = false

    init(
        world: World, incarnation: Incarnation, from version: UInt64,
        _ continuation: AsyncThrowingStream<ResourceWatchEvent<Pod>, any Error>.Continuation
    ) {
        self.world = world
        self.incarnation = incarnation
        self.continuation = continuation
        sentUpTo = version
    }

    func open(timeout: Duration) {
        isOpen = true
        if let error = world.faults.apiError() { return end(error) }
        if sentUpTo + 1 < world.api.compactedBefore {
            return end(APIError(code: .http(410), reason: .expired, message: "too old resource version"))
        }
        queue = world.api.history.filter { $0.version > sentUpTo }
        number = world.api.watch { [weak self] record in self?.take(record) }
        world.timeline.after(timeout) { [weak self] in self?.end(nil) }
        if let lasts = world.faults.watchLasts() {
            world.timeline.after(lasts) { [weak self] in
                guard let self, isOpen else { return }
                world.note("watch breaks")
                end(world.faults.watchEnd())
            }
        }
        pump()
    }

    private func take(_ record: SimulatedAPI.Record) {
        queue.append(record)
        pump()
    }

    private func pump() {
        guard isOpen, !queue.isEmpty, !isPumping else { return }
        isPumping = true
        world.timeline.after(world.faults.watchDelay(), order: world.drawOrder()) { [weak self] in
            self?.isPumping = false
            self?.deliver()
        }
    }

    private func deliver() {
        guard isOpen, incarnation.isAlive, !queue.isEmpty else { return }
        if queue.count > 1, world.faults.swapsEvents() {
            // Both go out in one breath: a watch that breaks between them would lose one.
            let (first, second) = (queue.removeFirst(), queue.removeFirst())
            send(second)
            send(first)
        } else {
            let record = queue.removeFirst()
            send(record)
            if world.faults.repeatsEvents() { send(record) }
        }
        if world.faults.sendsBookmark() {
            continuation.yield(.bookmark(resourceVersion: "\(sentUpTo)"))
        }
        pump()
    }

    private func send(_ record: SimulatedAPI.Record) {
        guard !world.mutations.drops(record) else { return }
        sentUpTo = max(sentUpTo, record.version)
        world.api.markSeen(sentUpTo)
        world.checker.told(record.pod, incarnation: incarnation.number, isDeleted: record.change == .deleted)
        switch record.change {
        case .added: continuation.yield(.added(record.pod))
        case .modified: continuation.yield(.modified(record.pod))
        case .deleted: continuation.yield(.deleted(record.pod))
        }
    }

    private func end(_ error: APIError?) {
        guard isOpen else { return }
        close()
        if let error { continuation.finish(throwing: error) } else { continuation.finish() }
    }

    func close() {
        isOpen = false
        if let number { world.api.unwatch(number) }
        number = nil
    }
}
