import Glibc
import KubernetesAPI
import Testing

@testable import ControlEndpoint

@Suite("Sealed values in the store")
struct ObjectSealTests {
    private static let secret = ObjectKey(
        resource: ResourceID(group: "", plural: "secrets"), namespace: "default", name: "login")
    private static let needle = "NEEDLE-IN-THE-FILE"
    private static let value: JSONValue = [
        "metadata": ["name": "login", "namespace": "default", "uid": "u"], "data": ["password": .string(needle)],
    ]

    /// Whether any file of the store's has the bytes.
    private static func isOnDisk(_ text: String, _ path: String) throws -> Bool {
        let needle = Array(text.utf8)
        for file in [path, path + "-wal"] where access(file, F_OK) == 0 {
            let handle = try #require(fopen(file, "r"))
            defer { fclose(handle) }
            var bytes: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 65536)
            while case let count = fread(&chunk, 1, chunk.count, handle), count > 0 { bytes += chunk[0..<count] }
            if bytes.indices.contains(where: { bytes[$0] == needle[0] && bytes[$0...].starts(with: needle) }) {
                return true
            }
        }
        return false
    }

    @Test("a secret is in no file of the store, and is what it was after a restart with the same key")
    func sealed() async throws {
        let directory = try EndpointFixture.makeDirectory()
        defer { EndpointFixture.remove(directory) }
        let (path, seal) = (directory + "/state.db", ObjectSeal())
        var store = try ResourceStore(path: path, seal: seal)
        let written = try await store.write(Self.secret, expecting: .absent, .put(Self.value))
        let plain = ObjectKey(
            resource: ResourceID(group: "", plural: "configmaps"), namespace: "default", name: "login")
        _ = try await store.write(plain, expecting: .absent, .put(["metadata": ["name": "visible-name"]]))
        #expect(try Self.isOnDisk("visible-name", path), "the search finds what is there")
        #expect(try !Self.isOnDisk(Self.needle, path))
        try store.close()
        #expect(try !Self.isOnDisk(Self.needle, path))
        store = try ResourceStore(path: path, seal: seal)
        #expect(store.get(Self.secret)?.json == written.json)
        try store.close()
    }

    @Test("with another key nothing is served, and the object and the key's file are named")
    func otherKey() async throws {
        let directory = try EndpointFixture.makeDirectory()
        defer { EndpointFixture.remove(directory) }
        let path = directory + "/state.db"
        let store = try ResourceStore(path: path, seal: ObjectSeal())
        _ = try await store.write(Self.secret, expecting: .absent, .put(Self.value))
        try store.close()
        let error = #expect(throws: StoreError.self) { try ResourceStore(path: path, seal: ObjectSeal()) }
        #expect(error?.description.contains("/secrets/default/login") == true)
        #expect(error?.description.contains("pki/secrets.key") == true)
    }

    @Test("a sealed value is opened only where it was sealed")
    func boundToItsRow() throws {
        let seal = ObjectSeal()
        let sealed = try seal.seal([1, 2, 3], of: Self.secret)
        #expect(try seal.open(sealed, of: Self.secret) == [1, 2, 3])
        let other = ObjectKey(resource: Self.secret.resource, namespace: "default", name: "other")
        #expect(throws: (any Error).self) { try seal.open(sealed, of: other) }
    }
}
