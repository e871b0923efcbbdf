import KubernetesAPI
import Testing

@testable import ControlEndpoint

@Suite("A batch of writes on a full disk")
struct StagedBatchTests {
    private static let shortage = StoreError.full(path: "/var/lib/swiftlet/state.db")

    private func key(_ name: String) -> ObjectKey {
        ObjectKey(resource: ResourceID(group: "", plural: "configmaps"), namespace: "default", name: name)
    }

    private func value(_ bytes: Int) -> JSONValue {
        ["metadata": ["name": "a", "uid": "u"], "data": .string(String(repeating: "x", count: bytes))]
    }

    private func isRefusedAsFull(_ outcome: Result<StoredObject, ResourceStore.Refusal>) -> Bool {
        if case .failure(.failed(.full)) = outcome { true } else { false }
    }

    @Test("a large object is refused and takes no version; a small one, a change and a deletion are staged")
    func small() {
        var batch = StagedBatch(resourceVersion: 10, shortage: Self.shortage)
        let allowance = StagedBatch.shortageAllowance
        #expect(isRefusedAsFull(batch.apply(.put(value(allowance)), to: key("a"), expecting: .absent) { _ in nil }))
        #expect(batch.rows.isEmpty)
        #expect(batch.resourceVersion == 10)
        guard
            case .success(let small) = batch.apply(
                .put(value(100)), to: key("a"), expecting: .absent, current: { _ in nil })
        else { return #expect(Bool(false), "a small object is refused") }
        #expect(small.resourceVersion == 11)
        let deletion = batch.apply(.delete, to: key("a"), expecting: .version(11)) { _ in nil }
        #expect((try? deletion.get()) != nil)
        #expect(batch.rows.count == 2)
    }

    @Test("a large object may change as long as it does not grow by more than a small one")
    func growth() throws {
        let old = StoredObject(key: key("a"), resourceVersion: 5, value: value(100_000))
        var batch = StagedBatch(resourceVersion: 10, shortage: Self.shortage)
        #expect(
            isRefusedAsFull(batch.apply(.put(value(200_000)), to: key("a"), expecting: .version(5)) { _ in old }))
        let changed = batch.apply(.put(value(100_100)), to: key("a"), expecting: .version(5)) { _ in old }
        #expect(try changed.get().resourceVersion == 11)
    }

    @Test("with space everything is staged")
    func space() {
        var batch = StagedBatch(resourceVersion: 10)
        let outcome = batch.apply(.put(value(1 << 20)), to: key("a"), expecting: .absent) { _ in nil }
        #expect((try? outcome.get()) != nil)
    }
}
