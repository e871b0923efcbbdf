import KubernetesAPI
import Testing

@Suite("JSON patch")
struct JSONPatchTests {
    struct Example: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let document: JSONValue
        let patch: JSONValue
        /// Nil when the patch must fail.
        let result: JSONValue?

        init(_ name: String, _ document: JSONValue, _ patch: JSONValue, _ result: JSONValue?) {
            testDescription = name
            self.document = document
            self.patch = patch
            self.result = result
        }
    }

    /// Appendix A of RFC 6902, in its order.
    static let rfcExamples = [
        Example("A.1", ["foo": "bar"], [["op": "add", "path": "/baz", "value": "qux"]], ["baz": "qux", "foo": "bar"]),
        Example(
            "A.2", ["foo": ["bar", "baz"]], [["op": "add", "path": "/foo/1", "value": "qux"]],
            ["foo": ["bar", "qux", "baz"]]),
        Example("A.3", ["baz": "qux", "foo": "bar"], [["op": "remove", "path": "/baz"]], ["foo": "bar"]),
        Example(
            "A.4", ["foo": ["bar", "qux", "baz"]], [["op": "remove", "path": "/foo/1"]], ["foo": ["bar", "baz"]]),
        Example(
            "A.5", ["baz": "qux", "foo": "bar"], [["op": "replace", "path": "/baz", "value": "boo"]],
            ["baz": "boo", "foo": "bar"]),
        Example(
            "A.6", ["foo": ["bar": "baz", "waldo": "fred"], "qux": ["corge": "grault"]],
            [["op": "move", "from": "/foo/waldo", "path": "/qux/thud"]],
            ["foo": ["bar": "baz"], "qux": ["corge": "grault", "thud": "fred"]]),
        Example(
            "A.7", ["foo": ["all", "grass", "cows", "eat"]], [["op": "move", "from": "/foo/1", "path": "/foo/3"]],
            ["foo": ["all", "cows", "eat", "grass"]]),
        Example(
            "A.8", ["baz": "qux", "foo": ["a", 2, "c"]],
            [["op": "test", "path": "/baz", "value": "qux"], ["op": "test", "path": "/foo/1", "value": 2]],
            ["baz": "qux", "foo": ["a", 2, "c"]]),
        Example("A.9", ["baz": "qux"], [["op": "test", "path": "/baz", "value": "bar"]], nil),
        Example(
            "A.10", ["foo": "bar"], [["op": "add", "path": "/child", "value": ["grandchild": [:]]]],
            ["foo": "bar", "child": ["grandchild": [:]]]),
        Example(
            "A.11", ["foo": "bar"], [["op": "add", "path": "/baz", "value": "qux", "xyz": 123]],
            ["foo": "bar", "baz": "qux"]),
        Example("A.12", ["foo": "bar"], [["op": "add", "path": "/baz/bat", "value": "qux"]], nil),
        Example("A.14", ["/": 9, "~1": 10], [["op": "test", "path": "/~01", "value": 10]], ["/": 9, "~1": 10]),
        Example("A.15", ["/": 9, "~1": 10], [["op": "test", "path": "/~01", "value": "10"]], nil),
        Example(
            "A.16", ["foo": ["bar"]], [["op": "add", "path": "/foo/-", "value": ["abc", "def"]]],
            ["foo": ["bar", ["abc", "def"]]]),
    ]

    static let moreExamples = [
        Example("whole document", ["a": 1], [["op": "replace", "path": "", "value": [1]]], [1]),
        Example("empty key", ["": 1], [["op": "replace", "path": "/", "value": 2]], ["": 2]),
        Example("slash in a key", ["a/b": 1], [["op": "remove", "path": "/a~1b"]], [:]),
        Example("copy", ["a": [1]], [["op": "copy", "from": "/a", "path": "/b"]], ["a": [1], "b": [1]]),
        Example("move onto itself", ["a": 1], [["op": "move", "from": "/a", "path": "/a"]], ["a": 1]),
        Example("add replaces a member", ["a": 1], [["op": "add", "path": "/a", "value": nil]], ["a": nil]),
        Example("add at the end", [1], [["op": "add", "path": "/1", "value": 2]], [1, 2]),
        Example("numbers by value", [1.0], [["op": "test", "path": "/0", "value": 1]], [1.0]),
        Example("equal trees", [["a": [1.0]]], [["op": "test", "path": "", "value": [["a": [1]]]]], [["a": [1.0]]]),
        Example("test null", ["a": nil], [["op": "test", "path": "/a", "value": nil]], ["a": nil]),
        Example("move into a child", ["a": ["b": 1]], [["op": "move", "from": "/a", "path": "/a/b"]], nil),
        Example("move from nowhere", [:], [["op": "move", "from": "/a", "path": "/a"]], nil),
        Example("past the end", [1], [["op": "add", "path": "/2", "value": 2]], nil),
        Example("replace past the end", [1], [["op": "replace", "path": "/1", "value": 2]], nil),
        Example("remove at the dash", [1], [["op": "remove", "path": "/-"]], nil),
        Example("leading zero", [1, 2], [["op": "remove", "path": "/00"]], nil),
        Example("negative index", [1], [["op": "remove", "path": "/-1"]], nil),
        Example("huge index", [1], [["op": "remove", "path": "/99999999999999999999"]], nil),
        Example("digits of another script", [1, 2], [["op": "remove", "path": "/١"]], nil),
        Example("remove nothing", [:], [["op": "remove", "path": "/a"]], nil),
        Example("replace nothing", [:], [["op": "replace", "path": "/a", "value": 1]], nil),
        Example("below a number", ["a": 1], [["op": "add", "path": "/a/b", "value": 1]], nil),
        Example("no slash", ["a": 1], [["op": "remove", "path": "a"]], nil),
        Example("bad escape", ["a": 1], [["op": "remove", "path": "/~2"]], nil),
        Example("unfinished escape", ["a~": 1], [["op": "remove", "path": "/a~"]], nil),
        Example("no value", [:], [["op": "add", "path": "/a"]], nil),
        Example("no path", [:], [["op": "add", "value": 1]], nil),
        Example("no from", ["a": 1], [["op": "copy", "path": "/b"]], nil),
        Example("unknown operation", [:], [["op": "spam", "path": "/a"]], nil),
        Example("no operation", [:], [["path": "/a"]], nil),
        Example("an operation that is no object", [:], [1], nil),
        Example("no list", [:], ["op": "add"], nil),
        Example(
            "a later failure undoes nothing of the input", ["a": 1],
            [["op": "remove", "path": "/a"], ["op": "remove", "path": "/a"]], nil),
    ]

    @Test("a patch gives what RFC 6902 says", arguments: rfcExamples + moreExamples)
    func examples(example: Example) throws {
        guard let result = example.result else {
            #expect(throws: PatchError.self) { try JSONPatch.apply(example.patch, to: example.document) }
            return
        }
        #expect(try JSONPatch.apply(example.patch, to: example.document) == result)
    }

    @Test("the failure says which operation, and tells a failed test from a missing place")
    func codes() {
        let patch: JSONValue = [["op": "add", "path": "/b", "value": 1], ["op": "test", "path": "/a", "value": 2]]
        let failed = #expect(throws: PatchError.self) { try JSONPatch.apply(patch, to: ["a": 1]) }
        #expect(failed?.code == .testFailed)
        #expect(failed?.message == "JSON patch operation 1: testing value \"/a\" failed")
        let missing = #expect(throws: PatchError.self) { try JSONPatch.apply(patch, to: [:]) }
        #expect(missing?.code == .missing)
    }

    @Test("more than 10,000 operations are refused")
    func operationLimit() throws {
        let operation: JSONValue = ["op": "test", "path": "", "value": 1]
        #expect(try JSONPatch.apply(.array(Array(repeating: operation, count: 10_000)), to: 1) == 1)
        let error = #expect(throws: PatchError.self) {
            try JSONPatch.apply(.array(Array(repeating: operation, count: 10_001)), to: 1)
        }
        #expect(error?.code == .tooLarge)
    }

    @Test("copies of copies are stopped before they grow without bound")
    func copyBomb() {
        let patch = (0..<200).map { index -> JSONValue in
            ["op": "copy", "from": "", "path": .string("/x\(index)")]
        }
        let error = #expect(throws: PatchError.self) { try JSONPatch.apply(.array(patch), to: ["a": "seed"]) }
        #expect(error?.code == .tooLarge)
    }

    @Test("moves cannot nest an object deeper than the parser would read")
    func deepMove() {
        var patch: [JSONValue] = []
        for _ in 0..<300 {
            patch.append(["op": "add", "path": "/t", "value": [:]])
            patch.append(["op": "move", "from": "/a", "path": "/t/a"])
            patch.append(["op": "move", "from": "/t", "path": "/a"])
        }
        let error = #expect(throws: PatchError.self) { try JSONPatch.apply(.array(patch), to: ["a": 1]) }
        #expect(error?.code == .tooLarge)
        let path = JSONValue.string(String(repeating: "/a", count: 5000))
        #expect(throws: PatchError.self) { try JSONPatch.apply([["op": "remove", "path": path]], to: [:]) }
    }
}
