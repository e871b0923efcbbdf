import KubernetesAPI
import Testing

@testable import ControlEndpoint

@Suite("A stored object")
struct StoredObjectTests {
    private static let value: JSONValue = [
        "metadata": [
            "name": "a", "namespace": "default", "uid": "u", "labels": ["app": "web"], "finalizers": ["example.org/f"],
            "deletionTimestamp": "2027-01-01T00:00:00Z",
        ],
        "spec": ["nodeName": "n"],
    ]

    @Test("it is the same with its value and without")
    func sameWithoutValue() {
        let object = StoredObject(key: ResourceStoreTests.key("a"), resourceVersion: 7, value: Self.value)
        let before = object.value
        object.forgetValue()
        #expect(object.value == before)
        #expect(object.value.string("metadata", "resourceVersion") == "7")
        #expect(object.labels == ["app": "web"] && object.finalizers == ["example.org/f"] && object.isBeingDeleted)
        #expect(object.part(["spec", "nodeName"]) == "n" && object.part(["spec", "absent"]) == nil)
        #expect(object.readOnce().value == before)
    }

    @Test("only the newest keep their values")
    func newestKeepTheirs() {
        let objects = (1...4).map { version in
            StoredObject(key: ResourceStoreTests.key("a"), resourceVersion: Int64(version), value: Self.value)
        }
        var recent = RecentValues(limit: objects[0].json.count * 2)
        for object in objects { recent.add(object) }
        #expect(objects.map(\.keepsValue) == [false, false, true, true])
    }
}
