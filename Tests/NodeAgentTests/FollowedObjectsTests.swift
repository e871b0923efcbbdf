import KubernetesAPI
import KubernetesClient
import Logging
import Synchronization
import Testing
import Volumes

@testable import NodeAgent

@Suite(.timeLimit(.minutes(5))) struct FollowedObjectsTests {
    /// One object of a server; tells of its changes, and of the watches on it.
    private final class FakeObject<T: KubernetesResource>: ResourceSource {
        private typealias Watcher = AsyncThrowingStream<ResourceWatchEvent<T>, any Error>.Continuation

        private let state: Mutex<(items: [T], watchers: [Watcher])>
        let ended: AsyncStream<Void>
        private let end: AsyncStream<Void>.Continuation

        init(_ items: [T]) {
            state = Mutex((items, []))
            (ended, end) = AsyncStream.makeStream()
        }

        func list(resourceVersion: String) async throws(APIError) -> ResourceList<T> {
            ResourceList(items: state.withLock { $0.items }, resourceVersion: "10")
        }

        func watch(
            resourceVersion: String, timeoutSeconds: Int
        ) -> AsyncThrowingStream<ResourceWatchEvent<T>, any Error> {
            let (stream, continuation) = AsyncThrowingStream<ResourceWatchEvent<T>, any Error>.makeStream()
            let end = end
            continuation.onTermination = { _ in end.yield() }
            state.withLock { $0.watchers.append(continuation) }
            return stream
        }

        func tell(_ event: ResourceWatchEvent<T>) {
            for watcher in state.withLock({ $0.watchers }) { watcher.yield(event) }
        }
    }

    private static func map(_ version: String, _ value: String, immutable: Bool? = nil) -> ConfigMap {
        ConfigMap(
            metadata: ObjectMeta(name: "app", namespace: "ns", uid: "m", resourceVersion: version),
            immutable: immutable, data: ["key": value])
    }

    private let key = ObjectKey(namespace: "ns", name: "app")
    private let names = PodObjectNames(configMaps: ["app"])

    private func value(_ followed: FollowedObjects) -> String? {
        guard case .present(let map) = followed.knowledge(of: key) as ObjectWatch<ConfigMap>.Knowledge else {
            return nil
        }
        return map.data?["key"]
    }

    private func run(
        _ server: FakeObject<ConfigMap>,
        _ body: (FollowedObjects, inout AsyncStream<String>.Iterator) async -> Void
    ) async {
        let followed = FollowedObjects(
            configMaps: { _ in server }, secrets: { _ in FakeObject<Secret>([]) },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        var changes = followed.changes.makeAsyncIterator()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await followed.run() }
            await body(followed, &changes)
            group.cancelAll()
        }
    }

    @Test("every pod that uses an object hears of its changes, and one that is gone does not")
    func changes() async {
        let server = FakeObject([Self.map("5", "old")])
        await run(server) { followed, changes in
            followed.follow(names, namespace: "ns", podUID: "one")
            #expect(await changes.next() == "one")
            #expect(value(followed) == "old")
            followed.follow(names, namespace: "ns", podUID: "two")
            #expect(followed.count == 1)
            server.tell(.modified(Self.map("11", "new")))
            #expect(Set([await changes.next(), await changes.next()]) == ["one", "two"])
            #expect(value(followed) == "new")
            followed.follow(PodObjectNames(), namespace: "", podUID: "one")
            server.tell(.modified(Self.map("12", "newer")))
            #expect(await changes.next() == "two")
            var ended = server.ended.makeAsyncIterator()
            followed.follow(PodObjectNames(), namespace: "", podUID: "two")
            await ended.next()
            #expect(followed.count == 0)
            #expect(value(followed) == nil, "nothing is known of what is not watched")
        }
    }

    @Test(
        "what the server says when it is asked is not overtaken by an older watch, and is told to all at once, not again by the watch"
    )
    func floor() async {
        let server = FakeObject([Self.map("5", "old")])
        await run(server) { followed, changes in
            followed.follow(names, namespace: "ns", podUID: "one")
            #expect(await changes.next() == "one")
            followed.follow(names, namespace: "ns", podUID: "two")
            // One of the two has asked; the other has it from nobody else.
            followed.note(Self.map("11", "new"), at: key)
            #expect(Set([await changes.next(), await changes.next()]) == ["one", "two"])
            #expect(value(followed) == nil, "the watch is behind")
            followed.note(Self.map("11", "new"), at: key)
            server.tell(.modified(Self.map("11", "new")))
            server.tell(.modified(Self.map("12", "newer")))
            // Only the second was news.
            #expect(Set([await changes.next(), await changes.next()]) == ["one", "two"])
            #expect(value(followed) == "newer")
        }
    }

    @Test("a frozen object is watched no more, and its successor is noticed when the server is asked")
    func frozen() async {
        let server = FakeObject([Self.map("5", "old", immutable: true)])
        await run(server) { followed, changes in
            followed.follow(names, namespace: "ns", podUID: "one")
            #expect(await changes.next() == "one")
            #expect(value(followed) == "old")
            var later = Self.map("20", "later")
            later.metadata.uid = "another"
            followed.note(later, at: key)
            #expect(value(followed) == nil)
        }
    }

    @Test("an object that is deleted is known to be gone")
    func deleted() async {
        let server = FakeObject([Self.map("5", "old")])
        await run(server) { followed, changes in
            followed.note(nil as ConfigMap?, at: key)
            followed.follow(names, namespace: "ns", podUID: "one")
            #expect(await changes.next() == "one")
            server.tell(.deleted(Self.map("11", "old")))
            #expect(await changes.next() == "one")
            guard case .absent = followed.knowledge(of: key) as ObjectWatch<ConfigMap>.Knowledge else {
                Issue.record("it is not known to be gone")
                return
            }
        }
    }
}
