import KubernetesAPI
import Testing

@Suite("Label selectors")
struct SelectorTests {
    @Test(
        "a selector matches the labels Kubernetes says it does",
        arguments: [
            ("", [:], true), ("a=b", ["a": "b"], true), ("a=b", ["a": "c"], false), ("a=b", [:], false),
            ("a==b", ["a": "b"], true), ("a!=b", ["a": "b"], false), ("a!=b", [:], true), ("a!=b", ["a": "c"], true),
            ("a", ["a": ""], true), ("a", [:], false), ("!a", [:], true), ("!a", ["a": "x"], false),
            ("a in (b,c)", ["a": "c"], true), ("a in (b, c)", ["a": "d"], false), ("a in (b)", [:], false),
            ("a notin (b,c)", ["a": "b"], false), ("a notin (b,c)", ["a": "d"], true), ("a notin (b)", [:], true),
            ("a=,b", ["a": "", "b": "1"], true), ("a=", ["a": "x"], false), ("a in (,x)", ["a": ""], true),
            ("a in ()", ["a": ""], true),
            ("a>5", ["a": "6"], true), ("a>5", ["a": "5"], false), ("a<5", ["a": "-1"], true),
            ("a>5", ["a": "x"], false),
            (
                "app.kubernetes.io/name=web, tier in (front,back),!legacy",
                ["app.kubernetes.io/name": "web", "tier": "back"], true
            ),
            ("a=b,a!=b", ["a": "b"], false), ("  a = b ", ["a": "b"], true),
            ("in in (in,notin)", ["in": "notin"], true),
        ] as [(String, [String: String], Bool)])
    func matching(text: String, labels: [String: String], expected: Bool) throws {
        let selector = try Selector(parsing: text)
        #expect(selector.matches(labels) == expected)
        #expect(try Selector(parsing: selector.description) == selector)
    }

    @Test(
        "a selector that means nothing is refused",
        arguments: [
            ",", "a,", "a,,b", "=b", "a=b=c", "a b", "a in", "a in b", "a in (b", "a in (b c)", "a notin b)", "!",
            "!a=b",
            "a!b", "a=b c", "a=(b)", "a in (b),", "a>b", "a>", "-a", "a-", "a/b/c", "/a", "a/", "A/b=c", "a=b/c",
            "a=-b",
            "é", "a=\u{0}", "a in (b))", "a>1.5",
        ])
    func refused(text: String) {
        #expect(throws: SelectorError.self) { try Selector(parsing: text) }
    }

    @Test("keys and values beyond 63 bytes are refused")
    func lengths() {
        let long = String(repeating: "x", count: 64)
        #expect(throws: SelectorError.self) { try Selector(parsing: long) }
        #expect(throws: SelectorError.self) { try Selector(parsing: "a=\(long)") }
        #expect(throws: Never.self) { try Selector(parsing: String(repeating: "x", count: 63)) }
        #expect(throws: SelectorError.self) { try Selector(parsing: String(repeating: "a,", count: 50_000)) }
    }

    @Test("a label selector object means the same as its text form")
    func objects() throws {
        let object = try JSONValueDecoder().decode(
            LabelSelector.self,
            from: [
                "matchLabels": ["app": "web"],
                "matchExpressions": [
                    ["key": "tier", "operator": "In", "values": ["a", "b"]],
                    ["key": "old", "operator": "DoesNotExist"], ["key": "zone", "operator": "Exists"],
                    ["key": "x", "operator": "NotIn", "values": ["y"]],
                ],
            ])
        let selector = try object.selector()
        #expect(selector == (try Selector(parsing: "app=web,tier in (b,a),!old,zone,x notin (y)")))
        #expect(selector.matches(["app": "web", "tier": "a", "zone": "1"]))
        #expect(!selector.matches(["app": "web", "tier": "a", "zone": "1", "old": ""]))
        #expect(try LabelSelector().selector().isEverything)
        #expect(!Selector.nothing.matches(["a": "b"]))
        #expect(!Selector.nothing.isEverything)
    }

    @Test(
        "a label selector object that means nothing is refused",
        arguments: [
            LabelSelectorRequirement(key: "a", operator: "in", values: ["b"]),
            LabelSelectorRequirement(key: "a", operator: "In"),
            LabelSelectorRequirement(key: "a", operator: "Exists", values: ["b"]),
            LabelSelectorRequirement(key: "", operator: "Exists"),
            LabelSelectorRequirement(key: "a", operator: "Gt", values: ["1"]),
        ])
    func refusedObjects(requirement: LabelSelectorRequirement) {
        #expect(throws: SelectorError.self) { try LabelSelector(matchExpressions: [requirement]).selector() }
    }
}

@Suite("Field selectors")
struct FieldSelectorTests {
    @Test("terms are read in order with their escapes")
    func parsing() throws {
        let selector = try FieldSelector(parsing: #"spec.nodeName=a,status.phase!=Running,metadata.name==x\,y\=z\\"#)
        #expect(
            selector.requirements == [
                .init(path: "spec.nodeName", equal: true, value: "a"),
                .init(path: "status.phase", equal: false, value: "Running"),
                .init(path: "metadata.name", equal: true, value: #"x,y=z\"#),
            ])
        #expect(try FieldSelector(parsing: selector.description) == selector)
        #expect(selector.requiredValue(of: "spec.nodeName") == "a")
        #expect(selector.requiredValue(of: "status.phase") == nil)
    }

    @Test("all terms must hold and an absent field is empty")
    func matching() throws {
        let fields = ["spec.nodeName": "a", "status.phase": "Pending"]
        #expect(try FieldSelector(parsing: "spec.nodeName=a,status.phase!=Running").matches { fields[$0] })
        #expect(try !FieldSelector(parsing: "spec.nodeName=a,status.phase=Running").matches { fields[$0] })
        #expect(try FieldSelector(parsing: "spec.other=").matches { fields[$0] })
        #expect(try FieldSelector(parsing: "").isEverything)
    }

    @Test("a term that means nothing is refused", arguments: ["a", "=b", "!=b", "a=b=c", #"a=\x"#, #"a=b\"#, "a>b"])
    func refused(text: String) {
        #expect(throws: SelectorError.self) { try FieldSelector(parsing: text) }
    }
}
