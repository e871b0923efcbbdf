import KubernetesAPI
import Testing

@Suite("JSON serializer")
struct JSONSerializerTests {
    @Test(
        "doubles are written as Go writes them",
        arguments: [
            (0.1, "0.1"), (1, "1"), (-1.5, "-1.5"), (100, "100"), (1e20, "100000000000000000000"), (1e21, "1e+21"),
            (1.5e21, "1.5e+21"), (1e-6, "0.000001"), (1e-7, "1e-7"), (1.25e-7, "1.25e-7"),
            (.leastNonzeroMagnitude, "5e-324"),
            (1.7976931348623157e308, "1.7976931348623157e+308"), (123_456.789, "123456.789"), (0.3, "0.3"),
            (1e16, "10000000000000000"), (2.5e15, "2500000000000000"), (0.00001234, "0.00001234"), (0, "0"),
        ] as [(Double, String)])
    func doubles(value: Double, text: String) {
        #expect(String(decoding: JSONValue.double(value).serialized(), as: UTF8.self) == text)
    }

    @Test("every double written reads back as itself")
    func doubleRoundTrip() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let value = Double(bitPattern: generator.next())
            guard value.isFinite else { continue }
            let parsed = Double(String(decoding: JSONValue.double(value).serialized(), as: UTF8.self))
            #expect(parsed == value)
        }
    }

    @Test("strings are escaped only where they must be")
    func strings() {
        let value: JSONValue = .string("a\"\\/\n\r\t\u{8}\u{C}\u{1}\u{1F}é😀<&>\u{7F}")
        #expect(value.description == "\"a\\\"\\\\/\\n\\r\\t\\b\\f\\u0001\\u001fé😀<&>\u{7F}\"")
    }

    @Test("documents are compact with sorted keys and read back equal")
    func documents() throws {
        let value: JSONValue = ["b": [1, true, nil, 1.5], "a": ["é": "x"], "c": [:], "d": []]
        #expect(value.description == #"{"a":{"é":"x"},"b":[1,true,null,1.5],"c":{},"d":[]}"#)
        #expect(try JSONValue(parsing: value.serialized()) == value)
        #expect(try JSONValue(parsing: value.serialized(sortedKeys: false)) == value)
        #expect(JSONValue.integer(.min).description == "-9223372036854775808")
    }

    @Test("subscripts read and build objects")
    func subscripts() {
        var value: JSONValue = .null
        value["a"] = ["b": [1, 2]]
        #expect(value[path: "a", "b"]?[1] == 2)
        #expect(value[path: "a", "x"] == nil)
        #expect(value["a"]?["b"]?[2] == nil)
        #expect(value["a"]?["b"]?[-1] == nil)
        value["a"] = nil
        #expect(value == [:])
        var text: JSONValue = "x"
        text["a"] = 1
        #expect(text == "x")
    }
}
