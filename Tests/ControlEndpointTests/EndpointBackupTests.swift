import Glibc
import KubernetesAPI
import LinuxKernel
import Testing

@testable import ControlEndpoint

@Suite("Backups of the endpoint")
struct EndpointBackupTests {
    private static func withDirectories(_ body: (_ root: String, _ backup: String) async throws -> Void) async throws {
        let directory = try EndpointFixture.makeDirectory()
        defer { try? FileSystem.removeTree(directory) }
        let root = directory + "/root"
        try FileSystem.makeDirectories(root + "/pki")
        try await body(root, directory + "/backup")
    }

    @Test("what is restored is what was there, under versions that were never given out")
    func roundTrip() async throws {
        try await Self.withDirectories { root, backup in
            let seal = try ObjectSeal.loadOrCreate(directory: root + "/pki")
            let store = try ResourceStore(path: root + "/state.db", seal: seal)
            let key = ResourceStoreTests.key("a")
            let kept = try await store.write(key, expecting: .absent, .put(ResourceStoreTests.value("a", "one")))
            try await store.copy(to: root + "/" + EndpointBackup.copyName)
            try EndpointBackup.collect(root: root, into: backup)
            #expect(!FileSystem.exists(root + "/" + EndpointBackup.copyName))
            let later = try await store.write(
                key, expecting: .version(kept.resourceVersion), .put(ResourceStoreTests.value("a", "two")))
            try store.close()
            #expect(try EndpointBackup.restore(backup, to: root) == 1)
            let restored = try ResourceStore(path: root + "/state.db", seal: seal)
            #expect(restored.get(key)?.json == kept.json)
            #expect(restored.resourceVersion > later.resourceVersion)
            // Who knows a version of the time after the backup lists again.
            let watch = restored.watch(
                key.resource, namespace: nil, name: nil, since: later.resourceVersion)
            #expect(watch == nil)
            try restored.close()
        }
    }

    @Test("a damaged backup is refused, and what was there stays")
    func damaged() async throws {
        try await Self.withDirectories { root, backup in
            let seal = try ObjectSeal.loadOrCreate(directory: root + "/pki")
            let store = try ResourceStore(path: root + "/state.db", seal: seal)
            let key = ResourceStoreTests.key("a")
            let kept = try await store.write(key, expecting: .absent, .put(ResourceStoreTests.value("a", "the text")))
            try await store.copy(to: root + "/" + EndpointBackup.copyName)
            try EndpointBackup.collect(root: root, into: backup)
            try store.close()
            var bytes = try FileSystem.read(backup + "/state.db", limit: 1 << 24)
            let mark = Array("the text".utf8)
            let place = try #require(bytes.indices.last { bytes[$0...].starts(with: mark) })
            bytes[place] = UInt8(ascii: "T")
            try FileSystem.writeAtomically(backup + "/state.db", bytes, mode: 0o600)
            #expect(throws: StoreError.self) { try EndpointBackup.restore(backup, to: root) }
            let still = try ResourceStore(path: root + "/state.db", seal: seal)
            #expect(still.get(key)?.json == kept.json)
            try still.close()
        }
    }

    @Test("a directory that is no backup is refused")
    func noBackup() async throws {
        try await Self.withDirectories { root, backup in
            try FileSystem.makeDirectories(backup)
            #expect(throws: BackupError.self) { try EndpointBackup.restore(backup, to: root) }
        }
    }
}
