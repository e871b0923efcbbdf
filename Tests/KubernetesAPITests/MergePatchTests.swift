import KubernetesAPI
import Testing

@Suite("JSON merge patch")
struct MergePatchTests {
    /// Appendix A of RFC 7386: original, patch, result.
    static let rfcExamples: [(JSONValue, JSONValue, JSONValue)] = [
        (["a": "b"], ["a": "c"], ["a": "c"]),
        (["a": "b"], ["b": "c"], ["a": "b", "b": "c"]),
        (["a": "b"], ["a": nil], [:]),
        (["a": "b", "b": "c"], ["a": nil], ["b": "c"]),
        (["a": ["b"]], ["a": "c"], ["a": "c"]),
        (["a": "c"], ["a": ["b"]], ["a": ["b"]]),
        (["a": ["b": "c"]], ["a": ["b": "d", "c": nil]], ["a": ["b": "d"]]),
        (["a": [["b": "c"]]], ["a": [1]], ["a": [1]]),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        (["a": "b"], ["c"], ["c"]),
        (["a": "foo"], nil, nil),
        (["a": "foo"], "bar", "bar"),
        (["e": nil], ["a": 1], ["e": nil, "a": 1]),
        ([1, 2], ["a": "b", "c": nil], ["a": "b"]),
        ([:], ["a": ["bb": ["ccc": nil]]], ["a": ["bb": [:]]]),
    ]

    @Test("a patch gives what RFC 7386 says", arguments: rfcExamples)
    func examples(original: JSONValue, patch: JSONValue, result: JSONValue) throws {
        #expect(try MergePatch.apply(patch, to: original) == result)
    }

    @Test("a difference applied to the source gives the target")
    func differences() throws {
        let values: [JSONValue] = [
            [:], ["a": 1], ["a": ["b": 1, "c": [1, 2]]], ["a": ["b": 1, "c": [2]]], ["a": [:]],
            ["a": ["b": ["d": "x"]], "z": 1],
            ["a": "x", "z": ["y": true]],
        ]
        for source in values {
            for target in values {
                let patch = MergePatch.diff(from: source, to: target)
                #expect(try MergePatch.apply(patch, to: source) == target)
                if source == target { #expect(patch == [:]) }
            }
        }
    }

    @Test("a difference holds only what changed")
    func minimalDifference() {
        let patch = MergePatch.diff(
            from: ["keep": 1, "status": ["phase": "Pending", "ip": "x", "gone": 1]],
            to: ["keep": 1, "status": ["phase": "Running", "ip": "x"]])
        #expect(patch == ["status": ["phase": "Running", "gone": nil]])
    }
}
