import Testing

@testable import KubernetesAPI

@Suite("Who owns which field")
struct FieldManagersTests {
    private static let pod = ApplyType(Schema(of: Pod.self))
    private static let now = Timestamp(seconds: 1_800_000_000, nanoseconds: 0)

    private func fields(_ object: JSONValue) throws -> [String] {
        try FieldSet(of: object, type: Self.pod, isStrict: true).paths.map(FieldStep.readable)
    }

    private func manager(_ name: String) -> FieldManagers.Manager {
        FieldManagers.Manager(name: name, applies: true, apiVersion: "v1")
    }

    /// Applies for one manager after another and gives the last object.
    private func applied(_ steps: [(String, JSONValue)], to live: JSONValue? = nil) throws -> (JSONValue, FieldManagers)
    {
        var managers = FieldManagers()
        var object = live
        for (name, configuration) in steps {
            let result = try managers.apply(
                configuration, to: object, as: manager(name), type: Self.pod, without: ["status"], now: Self.now)
            let conflicts = try managers.settle(
                result, old: object, new: result.object, type: Self.pod, isForced: false, now: Self.now)
            #expect(conflicts.isEmpty)
            object = result.object
        }
        return (object ?? .null, managers)
    }

    private func containers(_ containers: JSONValue...) -> JSONValue { ["spec": ["containers": .array(containers)]] }

    @Test("lists are told apart by the keys of their kind; selectors, commands and tolerations are one field")
    func paths() throws {
        let found = try fields([
            "metadata": ["labels": ["a": "1"], "finalizers": ["x/y"]],
            "spec": [
                "containers": [
                    [
                        "name": "c", "command": ["a", "b"], "ports": [["containerPort": 80]],
                        "env": [["name": "E", "value": "1"]], "volumeMounts": [["name": "v", "mountPath": "/m"]],
                    ]
                ],
                "nodeSelector": ["disk": "ssd"], "tolerations": [["key": "k"]],
                "volumes": [["name": "v", "emptyDir": [:]]],
            ],
        ])
        let container = ".spec.containers[name=\"c\"]"
        #expect(found.contains(".metadata.labels.a"))
        #expect(found.contains(".metadata.finalizers[=\"x/y\"]"))
        #expect(found.contains(container))
        #expect(found.contains(container + ".command"))
        #expect(found.contains(container + ".ports[containerPort=80,protocol=\"TCP\"].containerPort"))
        #expect(found.contains(container + ".env[name=\"E\"].value"))
        #expect(found.contains(container + ".volumeMounts[mountPath=\"/m\"].name"))
        #expect(found.contains(".spec.nodeSelector"))
        #expect(found.contains(".spec.tolerations"))
        #expect(found.contains(".spec.volumes[name=\"v\"].emptyDir"))
    }

    @Test("the record is written and read as fieldsV1")
    func coding() throws {
        let object = containers(["name": "c", "image": "i"])
        let set = try FieldSet(of: object, type: Self.pod, isStrict: true)
        let expected: JSONValue = [
            "f:spec": ["f:containers": ["k:{\"name\":\"c\"}": [".": [:], "f:image": [:], "f:name": [:]]]]
        ]
        #expect(set.encoded == expected)
        #expect(FieldSet(encoded: expected) == set)
        #expect(FieldSet(encoded: ["spec": [:]]) == nil)
        #expect(FieldSet(encoded: ["f:a": 7]) == nil)
        var deep: JSONValue = [:]
        for _ in 0..<200 { deep = ["f:a": deep] }
        #expect(FieldSet(encoded: deep) == nil)
    }

    @Test("an element without its key, or two with one, cannot be applied")
    func keys() {
        #expect(throws: ApplyError.self) { try fields(containers(["image": "i"])) }
        #expect(throws: ApplyError.self) { try fields(containers(["name": "c"], ["name": "c"])) }
    }

    @Test("elements of others stay where they are, and one's own come in one's own order")
    func order() {
        #expect(ApplyMerge.order(["a", "b"], ["c", "a"]) == ["c", "a", "b"])
        #expect(ApplyMerge.order(["x", "a", "y", "b"], ["b", "a"]) == ["x", "b", "a", "y"])
        #expect(ApplyMerge.order(["a"], []) == ["a"])
        #expect(ApplyMerge.order([], ["b", "a"]) == ["b", "a"])
    }

    @Test("what a manager no longer applies goes, unless another owns it, too")
    func removal() throws {
        let both: JSONValue = ["metadata": ["labels": ["a": "1", "b": "1"]]]
        let one: JSONValue = ["metadata": ["labels": ["a": "1"]]]
        let (alone, _) = try applied([("x", both), ("x", one)])
        #expect(alone == one)
        let (shared, managers) = try applied([("x", both), ("y", ["metadata": ["labels": ["b": "1"]]]), ("x", one)])
        #expect(shared == both)
        #expect(managers.entries.count == 2)
        let sidecar = containers(["name": "c", "image": "i"], ["name": "s", "image": "i"])
        let (left, _) = try applied([("x", sidecar), ("x", containers(["name": "c", "image": "i"]))])
        #expect(left[path: "spec", "containers"]?.arrayValue?.map { $0["name"] } == ["c"])
    }

    @Test("an element that another manager has set a field in stays with that field and its name")
    func sharedElement() throws {
        let (object, _) = try applied([
            ("x", containers(["name": "c", "image": "i", "workingDir": "/w"])),
            ("y", containers(["name": "c", "tty": true])), ("x", ["spec": [:]]),
        ])
        #expect(object[path: "spec", "containers"] == [["name": "c", "tty": true]])
    }

    @Test("an object that was never applied counts as one manager's, which conflicts")
    func firstApply() throws {
        var managers = FieldManagers()
        let live: JSONValue = ["metadata": ["labels": ["a": "1"]]]
        let result = try managers.apply(
            ["metadata": ["labels": ["a": "2"]]], to: live, as: manager("x"), type: Self.pod, without: [],
            now: Self.now)
        let conflicts = try managers.settle(
            result, old: live, new: result.object, type: Self.pod, isForced: false, now: Self.now)
        #expect(conflicts.map(\.field) == [".metadata.labels.a"])
        #expect(conflicts.first?.managerText == "\"before-first-apply\" using v1 at 2027-01-15T08:00:00Z")
        let none = try managers.settle(
            result, old: live, new: result.object, type: Self.pod, isForced: true, now: Self.now)
        #expect(none.isEmpty)
        #expect(managers.entries.map(\.manager.name) == ["x"])
    }

    @Test("more managers of single changes than a record keeps become one")
    func limit() throws {
        var managers = FieldManagers()
        var object: JSONValue = ["metadata": ["labels": ["own": "1"]]]
        let result = try managers.apply(
            object, to: nil, as: manager("x"), type: Self.pod, without: [], now: Self.now)
        _ = try managers.settle(result, old: nil, new: object, type: Self.pod, isForced: false, now: Self.now)
        for number in 0..<30 {
            let old = object
            object["metadata"]?["labels"]?["l\(number)"] = "1"
            try managers.update(
                old: old, new: object,
                by: FieldManagers.Manager(name: "m\(number)", applies: false, apiVersion: "v1"), type: Self.pod,
                without: [], now: Timestamp(seconds: 1_800_000_000 + Int64(number), nanoseconds: 0))
        }
        let updaters = managers.entries.filter { !$0.manager.applies }
        #expect(updaters.count == FieldManagers.updaterLimit)
        let owned = updaters.reduce(FieldSet.empty) { $0.union($1.fields) }
        #expect(owned.paths.count == 30)
        #expect(FieldManagers(managers.encoded).encoded == managers.encoded)
    }
}
