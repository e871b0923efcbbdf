import KubernetesAPI
import Testing

@Suite("Strategic merge patch")
struct StrategicMergePatchTests {
    struct Port: Codable, PatchMergeKeyed {
        static var patchMergeKey: String { "port" }
        var port: Int32
        var name: String?
    }

    struct Item: Codable, PatchMergeKeyed {
        static var patchMergeKey: String { "name" }
        var name: String
        var value: String?
        var args: [String]?
        var ports: [Port]?
    }

    struct Plain: Codable {
        var key: String?
    }

    struct Strategy: Codable {
        var type: String?
        var rolling: Plain?
    }

    struct Object: Codable, PatchMergedPrimitiveLists {
        static var mergedPrimitiveLists: Set<String> { ["finalizers"] }
        var items: [Item]?
        var plain: [Plain]?
        var finalizers: [String]?
        var atomic: [String]?
        var labels: [String: String]?
        var strategy: Strategy?
        var nested: [String: Item]?
    }

    struct Example: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let original: JSONValue
        let patch: JSONValue
        /// Nil when the patch must fail.
        let result: JSONValue?

        init(_ name: String, _ original: JSONValue, _ patch: JSONValue, _ result: JSONValue?) {
            testDescription = name
            self.original = original
            self.patch = patch
            self.result = result
        }
    }

    static let maps = [
        Example(
            "maps merge and null removes", ["labels": ["a": "1", "b": "2"]], ["labels": ["b": nil, "c": "3"]],
            ["labels": ["a": "1", "c": "3"]]),
        Example("null removes a list", ["items": [["name": "a"]]], ["items": nil], [:]),
        Example(
            "$patch replace", ["labels": ["a": "1"]], ["labels": ["$patch": "replace", "b": "2"]],
            ["labels": ["b": "2"]]),
        Example("$patch delete", ["labels": ["a": "1"]], ["labels": ["$patch": "delete"]], ["labels": [:]]),
        Example(
            "$patch merge", ["labels": ["a": "1"]], ["labels": ["$patch": "merge", "b": "2"]],
            ["labels": ["a": "1", "b": "2"]]),
        Example("unknown $patch", ["labels": [:]], ["labels": ["$patch": "spam"]], nil),
        Example(
            "new map without its directives", [:], ["labels": ["$patch": "merge", "a": "1", "b": nil]],
            ["labels": ["a": "1"]]),
        Example(
            "top-level replace", ["labels": ["a": "1"]], ["$patch": "replace", "atomic": ["x"]], ["atomic": ["x"]]),
        Example(
            "$retainKeys", ["strategy": ["type": "Rolling", "rolling": ["key": "x"]]],
            ["strategy": ["$retainKeys": ["type"], "type": "Recreate"]], ["strategy": ["type": "Recreate"]]),
        Example(
            "$retainKeys must list what is patched", ["strategy": [:]], ["strategy": ["$retainKeys": [], "type": "x"]],
            nil),
        Example("unknown fields merge as maps", ["x": ["a": 1]], ["x": ["b": 2]], ["x": ["a": 1, "b": 2]]),
        Example("another kind of value replaces", ["labels": "x"], ["labels": ["a": "1"]], ["labels": ["a": "1"]]),
        Example(
            "maps of objects merge", ["nested": ["a": ["name": "n"]]], ["nested": ["a": ["value": "v"]]],
            ["nested": ["a": ["name": "n", "value": "v"]]]),
    ]

    static let lists = [
        Example(
            "elements merge by key and new ones come first", ["items": [["name": "a", "value": "1"], ["name": "b"]]],
            ["items": [["name": "b", "value": "2"], ["name": "c"]]],
            ["items": [["name": "a", "value": "1"], ["name": "b", "value": "2"], ["name": "c"]]]),
        Example(
            "a new element precedes the server's", ["items": [["name": "a"]]], ["items": [["name": "z"]]],
            ["items": [["name": "z"], ["name": "a"]]]),
        Example(
            "a list inside an element merges by its own key",
            ["items": [["name": "a", "ports": [["port": 80], ["port": 90]]]]],
            ["items": [["name": "a", "ports": [["port": 90, "name": "x"]]]]],
            ["items": [["name": "a", "ports": [["port": 80], ["port": 90, "name": "x"]]]]]),
        Example(
            "$patch delete of an element", ["items": [["name": "a"], ["name": "b"]]],
            ["items": [["name": "a", "$patch": "delete"]]], ["items": [["name": "b"]]]),
        Example(
            "delete of what is not there", ["items": [["name": "a"]]], ["items": [["name": "x", "$patch": "delete"]]],
            ["items": [["name": "a"]]]),
        Example("delete without the key", ["items": [["name": "a"]]], ["items": [["$patch": "delete"]]], nil),
        Example(
            "$patch replace of the list", ["items": [["name": "a"], ["name": "b"]]],
            ["items": [["name": "c"], ["$patch": "replace"]]], ["items": [["name": "c"]]]),
        Example(
            "$patch merge of an element", ["items": [["name": "a", "value": "1"]]],
            ["items": [["name": "a", "$patch": "merge", "args": ["x"]]]],
            ["items": [["name": "a", "value": "1", "args": ["x"]]]]),
        Example("an element without its key", ["items": [["name": "a"]]], ["items": [["value": "x"]]], nil),
        Example("an element that is no object", ["items": [["name": "a"]]], ["items": ["a"]], nil),
        Example(
            "lists without a key are replaced", ["plain": [["key": "a"], ["key": "b"]]], ["plain": [["key": "c"]]],
            ["plain": [["key": "c"]]]),
        Example("primitive lists are replaced", ["atomic": ["a", "b"]], ["atomic": ["c"]], ["atomic": ["c"]]),
        Example(
            "finalizers are added to", ["finalizers": ["a", "b"]], ["finalizers": ["b", "c"]],
            ["finalizers": ["a", "b", "c"]]),
        Example(
            "$deleteFromPrimitiveList", ["finalizers": ["a", "b", "c"]],
            ["$deleteFromPrimitiveList/finalizers": ["b", "x"]], ["finalizers": ["a", "c"]]),
        Example(
            "delete and add at once", ["finalizers": ["a", "b"]],
            ["$deleteFromPrimitiveList/finalizers": ["a"], "finalizers": ["c"]], ["finalizers": ["c", "b"]]),
        Example("delete from a list that is not there", [:], ["$deleteFromPrimitiveList/finalizers": ["b"]], [:]),
        Example(
            "a new list without its directives", [:],
            ["items": [["name": "a", "$patch": "delete"], ["name": "b", "value": nil]]], ["items": [["name": "b"]]]),
    ]

    static let orders = [
        Example(
            "$setElementOrder puts elements in order", ["items": [["name": "a"], ["name": "b"]]],
            [
                "$setElementOrder/items": [["name": "b"], ["name": "c"], ["name": "a"]],
                "items": [["name": "c", "value": "x"]],
            ],
            ["items": [["name": "b"], ["name": "c", "value": "x"], ["name": "a"]]]),
        Example(
            "$setElementOrder alone reorders", ["items": [["name": "a"], ["name": "b"], ["name": "c"]]],
            ["$setElementOrder/items": [["name": "c"], ["name": "a"]]],
            ["items": [["name": "b"], ["name": "c"], ["name": "a"]]]),
        Example(
            "$setElementOrder of primitives", ["finalizers": ["a", "b"]], ["$setElementOrder/finalizers": ["b", "a"]],
            ["finalizers": ["b", "a"]]),
        Example(
            "$setElementOrder with a delete", ["items": [["name": "a"], ["name": "b"]]],
            ["$setElementOrder/items": [["name": "b"]], "items": [["name": "a", "$patch": "delete"]]],
            ["items": [["name": "b"]]]),
        Example(
            "$setElementOrder of a new list", [:],
            ["$setElementOrder/items": [["name": "b"], ["name": "a"]], "items": [["name": "b"], ["name": "a"]]],
            ["items": [["name": "b"], ["name": "a"]]]),
        Example(
            "$setElementOrder must agree with the patch", ["items": []],
            ["$setElementOrder/items": [["name": "b"], ["name": "a"]], "items": [["name": "a"], ["name": "b"]]], nil),
        Example(
            "$setElementOrder must list what is patched", ["items": []],
            ["$setElementOrder/items": [["name": "b"]], "items": [["name": "a"]]], nil),
        Example("$setElementOrder of an atomic list", ["atomic": ["a"]], ["$setElementOrder/atomic": ["a"]], nil),
    ]

    @Test("a patch gives what Kubernetes gives", arguments: maps + lists + orders)
    func examples(example: Example) throws {
        let schema = Schema(of: Object.self)
        guard let result = example.result else {
            let error = #expect(throws: PatchError.self) {
                try StrategicMergePatch.apply(example.patch, to: example.original, schema: schema)
            }
            #expect(error?.code == .malformed)
            return
        }
        #expect(try StrategicMergePatch.apply(example.patch, to: example.original, schema: schema) == result)
    }

    @Test("a patch that is no object is refused")
    func notAnObject() {
        #expect(throws: PatchError.self) { try StrategicMergePatch.apply([], to: [:], as: Object.self) }
    }

    @Test("a pod's containers, environment, conditions and finalizers merge")
    func pod() throws {
        let original: JSONValue = [
            "metadata": ["name": "p", "finalizers": ["x"], "labels": ["a": "b"]],
            "spec": [
                "containers": [
                    ["name": "web", "image": "v1", "env": [["name": "A", "value": "1"]], "args": ["a"]],
                    ["name": "side", "image": "s1"],
                ],
                "tolerations": [["key": "k"]],
            ],
            "status": [
                "conditions": [["type": "Ready", "status": "False"], ["type": "Initialized", "status": "True"]]
            ],
        ]
        let patch: JSONValue = [
            "metadata": ["finalizers": ["y"]],
            "spec": [
                "containers": [["name": "web", "image": "v2", "env": [["name": "B", "value": "2"]], "args": ["b"]]],
                "tolerations": [["key": "l"]],
            ],
            "status": ["conditions": [["type": "Ready", "status": "True"]]],
        ]
        let result = try StrategicMergePatch.apply(patch, to: original, as: Pod.self)
        let containers = result[path: "spec", "containers"]
        #expect(containers?.arrayValue?.count == 2)
        #expect(containers?[0]?["image"] == "v2")
        #expect(containers?[0]?["args"] == ["b"])
        #expect(
            Set(containers?[0]?["env"]?.arrayValue ?? []) == [
                ["name": "A", "value": "1"], ["name": "B", "value": "2"],
            ])
        #expect(containers?[1] == ["name": "side", "image": "s1"])
        #expect(result[path: "spec", "tolerations"] == [["key": "l"]])
        #expect(Set(result[path: "metadata", "finalizers"]?.arrayValue ?? []) == ["x", "y"])
        #expect(
            result[path: "status", "conditions"]
                == [["type": "Ready", "status": "True"], ["type": "Initialized", "status": "True"]])
    }

    @Test("large lists merge in linear time")
    func largeLists() throws {
        let original = (0..<20_000).map { index -> JSONValue in ["name": .string("n\(index)")] }
        let patch = original.map { element -> JSONValue in ["name": element["name"] ?? nil, "value": "x"] }
        let result = try StrategicMergePatch.apply(
            ["items": .array(patch)], to: ["items": .array(original)], as: Object.self)
        #expect(result["items"] == .array(patch))
    }
}
