import KubernetesAPI
import KubernetesClient
import Logging
import Synchronization

/// A kind whose objects may be frozen: those never change again and need no watch.
protocol FreezableResource: KubernetesResource {
    var immutable: Bool? { get }
}

extension ConfigMap: FreezableResource {}
extension Secret: FreezableResource {}

/// The watch of one object by its name, which is all that a node may watch of ConfigMaps and Secrets.
final class ObjectWatch<T: FreezableResource>: Sendable {
    /// What is known of the object.
    enum Knowledge {
        /// The server has to be asked.
        case unknown
        case absent
        case present(T)
    }

    private struct State {
        /// The version that the server gave when it was asked directly: what the watch has may be older for a moment.
        var floor: String?
        var isStopped = false
    }

    let key: ObjectKey
    private let informer: Informer<T>
    private let state = Mutex(State())
    private let stopping = WakeSignal()

    init(_ key: ObjectKey, source: any ResourceSource<T>, logger: Logger) {
        self.key = key
        informer = Informer(source: source, logger: logger)
    }

    /// Follows the object until it is stopped, found frozen, or the task is cancelled.
    ///
    /// - Parameter changed: the object is not what was last read of it.
    func run(changed: @escaping @Sendable () -> Void) async {
        let events = informer.events()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.informer.run() }
            group.addTask {
                for await event in events where self.take(event, changed) { return }
            }
            group.addTask { await self.waitUntilStopped() }
            await group.next()
            group.cancelAll()
        }
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        stopping.signal()
    }

    /// What an answer of the server is to the watch.
    enum Answer {
        case known
        /// The watch will not tell of it any more: whoever asked knows, and nobody else.
        case news
        /// The watch has ended and knows of an object before this one: it has to be made anew.
        case another
    }

    /// The server was asked directly, and this is what it had.
    func note(_ object: T?) -> Answer {
        let version = object?.metadata.resourceVersion
        let held = informer.object(key)
        let former = state.withLock { state in
            defer { state.floor = version }
            return state.floor
        }
        if let held, held.immutable == true, held.metadata.uid != object?.metadata.uid { return .another }
        let isFirst = former == nil && held == nil
        return isFirst || version == nil || version == former || version == held?.metadata.resourceVersion
            ? .known : .news
    }

    var knowledge: Knowledge {
        guard informer.hasSynced else { return .unknown }
        let floor = state.withLock { $0.floor }
        guard let object = informer.object(key) else { return floor == nil ? .absent : .unknown }
        if let floor, let version = object.metadata.resourceVersion, Self.isOlder(version, than: floor) {
            return .unknown
        }
        return .present(object)
    }

    /// True when there is nothing more to be watched.
    private func take(_ event: InformerEvent<T>, _ changed: () -> Void) -> Bool {
        switch event {
        case .applied(_, let object):
            guard ObjectKey(object.metadata) == key else { return false }
            let isNews = state.withLock { $0.floor != object.metadata.resourceVersion }
            if isNews { changed() }
            return object.immutable == true
        case .deleted(let object):
            guard ObjectKey(object.metadata) == key else { return false }
            state.withLock { $0.floor = nil }
            changed()
            return false
        case .initialListDone, .undecodable: return false
        }
    }

    private func waitUntilStopped() async {
        while !Task.isCancelled {
            let generation = stopping.generation
            if state.withLock({ $0.isStopped }) { return }
            await stopping.wait(after: generation)
        }
    }

    /// Versions that are no numbers cannot be compared: the watch is then believed.
    private static func isOlder(_ version: String, than other: String) -> Bool {
        guard let left = UInt64(version), let right = UInt64(other) else { return false }
        return left < right
    }
}
