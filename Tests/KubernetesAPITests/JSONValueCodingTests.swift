import KubernetesAPI
import Testing

@Suite("JSON value coding")
struct JSONValueCodingTests {
    struct Container: Codable, Equatable {
        var name: String
        var image: String?
        var ports: [Int32]?
        var cpu: Double?
        var ready: Bool?
    }

    struct Spec: Codable, Equatable {
        var containers: [Container]
        var labels: [String: String]?
        var grace: Int64?
        var raw: JSONValue?
    }

    struct Pod: Codable, Equatable {
        var spec: Spec
    }

    @Test("a value encodes without its nil fields and decodes back")
    func roundTrip() throws {
        let pod = Pod(
            spec: Spec(
                containers: [
                    Container(name: "a", image: "b", ports: [80], cpu: 0.5, ready: true), Container(name: "c"),
                ],
                labels: ["x": "y"], grace: .max, raw: ["any": [nil, 1]]))
        let value = try JSONValueEncoder().encode(pod)
        #expect(
            value == [
                "spec": [
                    "containers": [
                        ["name": "a", "image": "b", "ports": [80], "cpu": 0.5, "ready": true], ["name": "c"],
                    ],
                    "labels": ["x": "y"], "grace": .integer(.max), "raw": ["any": [nil, 1]],
                ]
            ])
        #expect(try JSONValueDecoder().decode(Pod.self, from: value) == pod)
        #expect(try JSONValueDecoder().decode(Pod.self, parsing: JSONValueEncoder().serialize(pod)) == pod)
    }

    @Test(
        "a decoding error names the path and both kinds",
        arguments: [
            (
                ["spec": ["containers": [["name": "a", "image": 5]]]],
                "spec.containers[0].image: expected string, got number"
            ),
            (
                ["spec": ["containers": [["name": "a"], ["image": "b"]]]],
                "spec.containers[1].name: missing, but it is required"
            ),
            (["spec": ["containers": "x"]], "spec.containers: expected array, got string"),
            (
                ["spec": ["containers": [], "labels": ["a": "b", "c": 5]]], "spec.labels.c: expected string, got number"
            ),
            (["spec": ["containers": [], "labels": "x"]], "spec.labels: expected object, got string"),
            (["spec": []], "spec: expected object, got array"),
            ([:], "spec: missing, but it is required"),
            ("x", "expected object, got string"),
            (["spec": ["containers": [], "grace": 1.5]], "spec.grace: expected integer, got 1.5"),
            (["spec": ["containers": [], "grace": "1"]], "spec.grace: expected integer, got string"),
            (["spec": ["containers": [], "labels": ["a": true]]], "spec.labels.a: expected string, got boolean"),
            (
                ["spec": ["containers": [["name": "a", "ports": [1, 3_000_000_000]]]]],
                "spec.containers[0].ports[1]: 3000000000 does not fit into Int32"
            ),
            (
                ["spec": ["containers": [["name": "a", "ready": "yes"]]]],
                "spec.containers[0].ready: expected boolean, got string"
            ),
            (["spec": ["containers": [nil]]], "spec.containers[0]: expected object, got null"),
        ] as [(JSONValue, String)])
    func errors(value: JSONValue, message: String) {
        let error = #expect(throws: JSONDecodingError.self) { try JSONValueDecoder().decode(Pod.self, from: value) }
        #expect(error?.description == message)
    }

    @Test("null counts as absent for optional fields and unknown fields are ignored")
    func nulls() throws {
        let value: JSONValue = ["containers": [["name": "a", "image": nil, "more": [1]]], "raw": nil]
        let spec = try JSONValueDecoder().decode(Spec.self, from: value)
        #expect(spec == Spec(containers: [Container(name: "a")]))
    }

    enum Phase: String, Codable { case running = "Running" }

    @Test("a value an enumeration does not have is refused with its path")
    func enumerations() {
        let error = #expect(throws: JSONDecodingError.self) {
            try JSONValueDecoder().decode([String: [Phase]].self, from: ["p": ["Running", "Walking"]])
        }
        #expect(error?.path == FieldPath(elements: [.field("p"), .index(1)]))
    }

    class Base: Codable {
        var a = 1
    }

    final class Derived: Base {
        var b = 2
        private enum Keys: String, CodingKey { case b, nested, list }
        override init() { super.init() }
        required init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            b = try container.decode(Int.self, forKey: .b)
            let nested = try container.nestedContainer(keyedBy: Keys.self, forKey: .nested)
            #expect(try nested.decode(String.self, forKey: .b) == "deep")
            var list = try container.nestedUnkeyedContainer(forKey: .list)
            #expect(try list.decode(Int.self) == 1)
            #expect(try list.decodeNil())
            #expect(try list.nestedContainer(keyedBy: Keys.self).decode(Bool.self, forKey: .b))
            #expect(list.isAtEnd)
            try super.init(from: container.superDecoder())
        }
        override func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Keys.self)
            // The parent is asked for first and filled last: the tree must not depend on the order.
            let parent = container.superEncoder()
            var nested = container.nestedContainer(keyedBy: Keys.self, forKey: .nested)
            var list = container.nestedUnkeyedContainer(forKey: .list)
            try container.encode(b, forKey: .b)
            try list.encode(1)
            try list.encodeNil()
            var inner = list.nestedContainer(keyedBy: Keys.self)
            try nested.encode("deep", forKey: .b)
            try inner.encode(true, forKey: .b)
            try super.encode(to: parent)
        }
    }

    @Test("nested containers and superclasses survive a round trip")
    func nested() throws {
        let object = Derived()
        object.a = 7
        let value = try JSONValueEncoder().encode(object)
        #expect(value == ["b": 2, "nested": ["b": "deep"], "list": [1, nil, ["b": true]], "super": ["a": 7]])
        #expect(try JSONValueDecoder().decode(Derived.self, from: value).a == 7)
    }

    @Test("numbers JSON cannot hold are refused with their path")
    func encodingErrors() {
        let error = #expect(throws: JSONEncodingError.self) { try JSONValueEncoder().encode(["a": [Double.nan]]) }
        #expect(error?.description == "a[0]: JSON has no number nan")
        #expect(throws: JSONEncodingError.self) { try JSONValueEncoder().encode([UInt64.max]) }
        #expect(throws: Never.self) { try JSONValueEncoder().encode(UInt64(Int64.max)) }
    }

    @Test("empty types and top-level values encode")
    func small() throws {
        struct Empty: Codable {}
        #expect(try JSONValueEncoder().encode(Empty()) == [:])
        #expect(try JSONValueEncoder().encode([Int]()) == [])
        #expect(try JSONValueEncoder().encode("x") == "x")
        #expect(try JSONValueEncoder().encode(Int?.none) == nil)
        #expect(try JSONValueDecoder().decode(Int?.self, from: nil) == nil)
        #expect(try JSONValueDecoder().decode(JSONValue.self, from: [1]) == [1])
    }
}
