import CLinux
import Glibc
import KubernetesAPI
import Synchronization
import Testing

@testable import ControlEndpoint

@Suite("The store")
struct ResourceStoreTests {
    static let things = ResourceID(group: "", plural: "things")

    static func key(_ name: String) -> ObjectKey { ObjectKey(resource: things, namespace: "default", name: name) }

    static func value(_ name: String, _ text: String = "") -> JSONValue {
        [
            "metadata": ["name": .string(name), "namespace": "default", "uid": .string("uid-\(name)")],
            "text": .string(text),
        ]
    }

    static func withStore(
        historyLimit: Int = WatchCache.historyLimit, _ body: (ResourceStore, String) async throws -> Void
    ) async throws {
        let directory = try EndpointFixture.makeDirectory()
        defer { EndpointFixture.remove(directory) }
        let path = directory + "/state.db"
        let store = try ResourceStore(path: path, seal: ObjectSeal(), historyLimit: historyLimit)
        try await body(store, path)
        try store.close()
    }

    @Test("objects, versions and identifiers survive a restart")
    func restart() async throws {
        let directory = try EndpointFixture.makeDirectory()
        defer { EndpointFixture.remove(directory) }
        let (path, seal) = (directory + "/state.db", ObjectSeal())
        var store = try ResourceStore(path: path, seal: seal)
        let first = try await store.write(Self.key("a"), expecting: .absent, .put(Self.value("a", "one")))
        _ = try await store.write(Self.key("b"), expecting: .absent, .put(Self.value("b")))
        let gone = try await store.write(Self.key("b"), expecting: .version(first.resourceVersion + 1), .delete)
        try store.close()
        store = try ResourceStore(path: path, seal: seal)
        #expect(store.get(Self.key("a"))?.json == first.json)
        #expect(store.get(Self.key("a"))?.uid == "uid-a")
        #expect(store.get(Self.key("b")) == nil)
        #expect(store.resourceVersion == gone.resourceVersion)
        let next = try await store.write(Self.key("c"), expecting: .absent, .put(Self.value("c")))
        #expect(next.resourceVersion == gone.resourceVersion + 1)
        try store.close()
    }

    @Test("a write with a stale version, on a present or on an absent object is refused")
    func preconditions() async throws {
        try await Self.withStore { store, _ in
            let first = try await store.write(Self.key("a"), expecting: .absent, .put(Self.value("a")))
            let exists = await #expect(throws: ResourceStore.Refusal.self) {
                try await store.write(Self.key("a"), expecting: .absent, .put(Self.value("a")))
            }
            guard case .exists? = exists else { return #expect(Bool(false), "\(String(describing: exists))") }
            let stale = ResourceStore.Expectation.version(first.resourceVersion - 1)
            let changed = await #expect(throws: ResourceStore.Refusal.self) {
                try await store.write(Self.key("a"), expecting: stale, .put(Self.value("a")))
            }
            guard case .changed? = changed else { return #expect(Bool(false), "\(String(describing: changed))") }
            let missing = await #expect(throws: ResourceStore.Refusal.self) {
                try await store.write(Self.key("x"), expecting: stale, .delete)
            }
            guard case .missing? = missing else { return #expect(Bool(false), "\(String(describing: missing))") }
            #expect(store.resourceVersion == first.resourceVersion)
        }
    }

    @Test("writes that wait together share transactions, and each gets its own version")
    func groupCommit() async throws {
        try await Self.withStore { store, _ in
            let before = store.committedBatches
            let count = 400
            let versions = try await withThrowingTaskGroup(of: Int64.self) { group in
                for index in 0..<count {
                    group.addTask {
                        let name = "n\(index)"
                        return try await store.write(
                            Self.key(name), expecting: .absent, .put(Self.value(name))
                        ).resourceVersion
                    }
                }
                var versions: Set<Int64> = []
                for try await version in group { versions.insert(version) }
                return versions
            }
            #expect(versions.count == count)
            #expect(store.list(Self.things).objects.count == count)
            #expect(store.committedBatches - before < count / 2)
        }
    }

    @Test("of many writers with one version exactly one wins")
    func oneWinner() async throws {
        try await Self.withStore { store, _ in
            let first = try await store.write(Self.key("a"), expecting: .absent, .put(Self.value("a")))
            let winners = await withTaskGroup(of: Bool.self) { group in
                for index in 0..<50 {
                    group.addTask {
                        let change = ResourceStore.Change.put(Self.value("a", "\(index)"))
                        let expectation = ResourceStore.Expectation.version(first.resourceVersion)
                        return (try? await store.write(Self.key("a"), expecting: expectation, change)) != nil
                    }
                }
                var winners = 0
                for await won in group where won { winners += 1 }
                return winners
            }
            #expect(winners == 1)
            #expect(store.resourceVersion == first.resourceVersion + 1)
        }
    }

    @Test("a second process is refused, and told which file")
    func locked() async throws {
        try await Self.withStore { store, path in
            _ = try await store.write(Self.key("a"), expecting: .absent, .put(Self.value("a")))
            let error = #expect(throws: StoreError.self) { try ResourceStore(path: path, seal: ObjectSeal()) }
            guard case .inUse(path)? = error else { return #expect(Bool(false), "\(String(describing: error))") }
        }
    }

    @Test("a file of another kind is never served")
    func wrongFile() throws {
        let directory = try EndpointFixture.makeDirectory()
        defer { EndpointFixture.remove(directory) }
        let path = directory + "/state.db"
        try write(Array(String(repeating: "this is no database. ", count: 100).utf8), to: path)
        let error = #expect(throws: StoreError.self) { try ResourceStore(path: path, seal: ObjectSeal()) }
        guard case .wrongFile(path, _)? = error else { return #expect(Bool(false), "\(String(describing: error))") }
    }

    @Test("a value with one flipped bit is found at start, and nothing is served")
    func corruptedValue() async throws {
        let directory = try EndpointFixture.makeDirectory()
        defer { EndpointFixture.remove(directory) }
        let path = directory + "/state.db"
        let store = try ResourceStore(path: path, seal: ObjectSeal())
        _ = try await store.write(Self.key("a"), expecting: .absent, .put(Self.value("a", "NEEDLE-IN-THE-FILE")))
        try store.close()
        var bytes = try read(path)
        let needle = Array("NEEDLE-IN-THE-FILE".utf8)
        let position = try #require(bytes.indices.first { bytes[$0...].starts(with: needle) })
        bytes[position] ^= 1
        try write(bytes, to: path)
        let error = #expect(throws: StoreError.self) { try ResourceStore(path: path, seal: ObjectSeal()) }
        guard case .corrupted(path, _)? = error else { return #expect(Bool(false), "\(String(describing: error))") }
    }

    @Test("the file belongs to its owner only, its write-ahead log too")
    func fileMode() async throws {
        try await Self.withStore { store, path in
            _ = try await store.write(Self.key("a"), expecting: .absent, .put(Self.value("a")))
            for file in [path, path + "-wal"] {
                var status = stat()
                try #require(stat(file, &status) == 0)
                #expect(status.st_mode & 0o777 == 0o600)
            }
        }
    }

    @Test("a watch from a version gets every later change once, in order")
    func watchFromVersion() async throws {
        try await Self.withStore { store, _ in
            let first = try await store.write(Self.key("a"), expecting: .absent, .put(Self.value("a")))
            _ = try await store.write(Self.key("b"), expecting: .absent, .put(Self.value("b")))
            let subscription = try #require(
                store.watch(Self.things, namespace: nil, name: nil, since: first.resourceVersion))
            guard case .events(let events) = subscription.start else { return #expect(Bool(false)) }
            #expect(events.map(\.object.key.name) == ["b"])
            _ = try await store.write(Self.key("c"), expecting: .absent, .put(Self.value("c")))
            store.endWatch(subscription.watcher, of: Self.things)
            var names: [String] = []
            for await case .event(let event) in subscription.watcher.messages { names.append(event.object.key.name) }
            #expect(names == ["c"])
            #expect(store.watcherCount == 0)
        }
    }

    @Test("a version older than the history cannot be watched from")
    func historyLimit() async throws {
        try await Self.withStore(historyLimit: 3) { store, _ in
            var versions: [Int64] = []
            for index in 0..<6 {
                let name = "n\(index)"
                versions.append(
                    try await store.write(Self.key(name), expecting: .absent, .put(Self.value(name))).resourceVersion)
            }
            #expect(store.watch(Self.things, namespace: nil, name: nil, since: versions[1]) == nil)
            let last = try #require(store.watch(Self.things, namespace: nil, name: nil, since: versions[2]))
            guard case .events(let events) = last.start else { return #expect(Bool(false)) }
            #expect(events.map(\.resourceVersion) == Array(versions[3...]))
        }
    }

    @Test("a watcher that does not read is let go with all it has not read, never skipped over")
    func slowWatcher() async throws {
        let watcher = Watcher(id: 1, namespace: nil, name: nil, bufferLimit: 2)
        let overflows = Overflows()
        watcher.onOverflow { overflows.count.add(1, ordering: .relaxed) }
        watcher.send(.bookmark(resourceVersion: 1))
        watcher.send(.bookmark(resourceVersion: 2))
        #expect(overflows.count.load(ordering: .relaxed) == 0)
        watcher.send(.bookmark(resourceVersion: 3))
        watcher.send(.bookmark(resourceVersion: 4))
        #expect(overflows.count.load(ordering: .relaxed) == 1)
        var seen: [Int64] = []
        for await case .bookmark(let version) in watcher.messages { seen.append(version) }
        #expect(seen.isEmpty)
    }

    @Test("a watcher that is finished gets what was queued before")
    func finishedWatcher() async throws {
        let watcher = Watcher(id: 1, namespace: nil, name: nil)
        watcher.send(.bookmark(resourceVersion: 1))
        watcher.finish()
        watcher.send(.bookmark(resourceVersion: 2))
        var seen: [Int64] = []
        for await case .bookmark(let version) in watcher.messages { seen.append(version) }
        #expect(seen == [1])
    }

    private final class Overflows: Sendable {
        let count = Atomic(0)
    }

    private func read(_ path: String) throws -> [UInt8] {
        let file = try #require(fopen(path, "r"))
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
        return bytes
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        let file = try #require(fopen(path, "w"))
        defer { fclose(file) }
        try #require(fwrite(bytes, 1, bytes.count, file) == bytes.count)
    }
}
