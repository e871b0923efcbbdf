import KubernetesAPI
import Testing

@Suite("Schema")
struct SchemaTests {
    enum Phase: String, Codable { case on, off }

    final class Tree: Codable {
        var name: String?
        var child: Tree?
        var children: [Tree]?
        var byName: [String: Tree]?
    }

    struct Wrapper: Codable {
        var values: [Int]
        init(from decoder: any Decoder) throws { values = try decoder.singleValueContainer().decode([Int].self) }
    }

    struct Part: Codable {
        var required: Int32
        var flag: Bool
        var phase: Phase?
    }

    struct Everything: Codable {
        var text: String
        var number: Double?
        var port: IntOrString?
        var cpu: Quantity?
        var requiredCPU: Quantity
        var time: Timestamp?
        var requiredTime: Timestamp
        var micro: MicroTimestamp?
        var any: JSONValue?
        var part: Part
        var parts: [Part]
        var map: [String: Part]?
        var strings: [String: String]?
        var matrix: [[Part?]]?
        var optional: Int?
        var wrapper: Wrapper?
        var set: Set<String>?
        var tree: Tree?
    }

    private func type(_ name: String) -> SchemaType? { Schema(of: Everything.self).definition?[name]?.type }

    @Test("every kind of field is found with its type")
    func types() throws {
        let schema = Schema(of: Everything.self)
        let definition = try #require(schema.definition)
        #expect(!definition.isOpen)
        #expect(definition.properties.count == 18)
        #expect(type("text") == .leaf(.string))
        #expect(type("number") == .leaf(.number))
        #expect(type("port") == .leaf(.intOrString))
        #expect(type("cpu") == .leaf(.quantity) && type("requiredCPU") == .leaf(.quantity))
        #expect(type("time") == .leaf(.dateTime) && type("requiredTime") == .leaf(.dateTime))
        #expect(type("micro") == .leaf(.microTime))
        #expect(type("any") == .leaf(.any))
        #expect(type("optional") == .leaf(.integer))
        #expect(type("strings") == .map(.leaf(.string)))
        #expect(type("set") == .array(.leaf(.string)))
        #expect(type("wrapper") == .array(.leaf(.integer)))
        let part = try #require(type("part"))
        guard case .object(let reference) = part else {
            Issue.record("part is \(part)")
            return
        }
        #expect(type("parts") == .array(part))
        #expect(type("map") == .map(part))
        #expect(type("matrix") == .array(.array(part)))
        #expect(reference.name == "SchemaTests.Part")
        #expect(reference.definition["phase"]?.type == .leaf(.string))
        #expect(reference.definition["required"]?.isRequired == true)
        #expect(reference.definition["phase"]?.isRequired == false)
    }

    @Test("a type that contains itself does not hang")
    func cycles() throws {
        let definition = try #require(Schema(of: Tree.self).definition)
        let tree = SchemaType.object(definition.reference)
        #expect(definition["child"]?.type == tree)
        #expect(definition["children"]?.type == .array(tree))
        #expect(definition["byName"]?.type == .map(tree))
        #expect(
            Schema(of: Tree.self).unknownFields(in: ["child": ["children": [["byName": ["x": ["nmae": 1]]]]]])
                == ["child.children[0].byName.x.nmae"])
    }

    @Test("unknown fields are named with their paths, sorted, and nothing else is")
    func unknownFields() {
        let value: JSONValue = [
            "text": "x", "typo": 1, "any": ["whatever": [1]], "strings": ["free": "y"],
            "part": ["flag": true, "flog": 1],
            "parts": [["required": 1], ["requird": 1]], "map": ["k": ["x": 1]], "matrix": [[["y": 1]]],
            "port": ["not": "looked at"],
        ]
        #expect(
            Schema(of: Everything.self).unknownFields(in: value)
                == ["map.k.x", "matrix[0][0].y", "part.flog", "parts[1].requird", "typo"])
        #expect(Schema(of: Everything.self).unknownFields(in: "x").isEmpty)
        #expect(Schema(of: [Part].self).unknownFields(in: [["x": 1]]) == ["[0].x"])
    }

    struct AnyKeys: Codable {
        struct Key: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }
        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            for key in container.allKeys { _ = try container.decode(String.self, forKey: key) }
        }
        func encode(to encoder: any Encoder) throws {}
    }

    struct Fussy: Codable {
        var a: Int
        var b: Int
        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            a = try container.decode(Int.self, forKey: .a)
            guard a > 0 else { throw DecodingError.dataCorruptedError(forKey: .a, in: container, debugDescription: "") }
            b = try container.decode(Int.self, forKey: .b)
        }
    }

    struct Nothing: Codable {}

    @Test("types that take any key or stop early are open, types without fields are not")
    func openness() {
        #expect(Schema(of: AnyKeys.self).unknownFields(in: ["x": "y"]).isEmpty)
        #expect(Schema(of: Fussy.self).unknownFields(in: ["b": 1]).isEmpty)
        #expect(Schema(of: Fussy.self).definition?["a"] != nil)
        #expect(Schema(of: Nothing.self).unknownFields(in: ["x": "y"]) == ["x"])
    }

    @Test("a pod's misspelled fields are found")
    func podUnknownFields() {
        let pod: JSONValue = [
            "apiVersion": "v1", "kind": "Pod",
            "metadata": ["name": "p", "lables": ["a": "b"], "labels": ["free": "x"]],
            "spec": [
                "contianers": [],
                "containers": [
                    [
                        "name": "a", "imgae": "x", "resources": ["limits": ["cpu": "1", "example.com/gpu": 1]],
                        "livenessProbe": ["httpGet": ["port": 80, "paht": "/"]],
                    ]
                ],
                "nodeSelector": ["x": "y"],
            ],
        ]
        #expect(
            Schema(of: Pod.self).unknownFields(in: pod) == [
                "metadata.lables", "spec.containers[0].imgae", "spec.containers[0].livenessProbe.httpGet.paht",
                "spec.contianers",
            ])
    }

    @Test("the definitions of all kinds are closed, complete and found once")
    func definitions() throws {
        let types: [any KubernetesResource.Type] = [Pod.self, Node.self, ConfigMap.self, Secret.self, Lease.self]
        let definitions = Schema.definitions(for: types)
        let names = definitions.map(\.name)
        #expect(names == names.sorted())
        #expect(Set(names).count == names.count)
        #expect(Set(["Pod", "PodSpec", "Container", "ObjectMeta", "Node", "Lease", "Probe"]).isSubset(of: names))
        #expect(definitions.filter(\.isOpen).map(\.name) == [])
        let spec = try #require(definitions.first { $0.name == "PodSpec" })
        guard case .array(.object(let container))? = spec["containers"]?.type else {
            Issue.record("spec.containers is no list of objects")
            return
        }
        #expect(container.definition.patchMergeKey == "name")
        let meta = try #require(definitions.first { $0.name == "ObjectMeta" })
        #expect(meta.mergedPrimitiveLists.contains("finalizers"))
        #expect(meta["creationTimestamp"]?.type == .leaf(.dateTime))
        let pod = try #require(definitions.first { $0.name == "Pod" })
        #expect(pod["apiVersion"]?.type == .leaf(.string) && pod["kind"]?.type == .leaf(.string))
    }

    @Test("concurrent first uses agree")
    func concurrency() async {
        struct Local: Codable { var a: [Part]?; var b: Tree? }
        let results = await withTaskGroup(of: SchemaDefinition?.self) { group in
            for _ in 0..<16 { group.addTask { Schema(of: Local.self).definition } }
            return await group.reduce(into: [SchemaDefinition?]()) { $0.append($1) }
        }
        #expect(results.count == 16)
        #expect(results.allSatisfy { $0 == results[0] && $0?.properties.count == 2 })
    }
}
