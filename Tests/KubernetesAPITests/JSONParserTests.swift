import KubernetesAPI
import Testing

@Suite("JSON parser")
struct JSONParserTests {
    @Test(
        "a document reads as RFC 8259 says",
        arguments: [
            ("null", .null), (" true ", .bool(true)), ("false", .bool(false)), ("0", 0), ("-0", 0), ("-12", -12),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)), ("1.5", 1.5),
            ("1e3", .double(1000)), ("1E-2", .double(0.01)), ("1.0", .double(1)), ("\"\"", ""), ("[]", []), ("{}", [:]),
            ("[1, [2], {\"a\": null}]", [1, [2], ["a": nil]]), ("\t\r\n[ ]", []),
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u00e9\uD83D\uDE00\u0000""#, "é😀\0"),
            ("\"é😀\"", "é😀"),
            (#"{"a":{"b":[true]}}"#, ["a": ["b": [true]]]), (#""plain\u0041tail""#, "plainAtail"),
        ] as [(String, JSONValue)])
    func reads(text: String, value: JSONValue) throws {
        #expect(try JSONValue(parsing: text) == value)
    }

    @Test(
        "what is not JSON is refused",
        arguments: [
            "", " ", "nul", "nulll", "True", "01", "-", "+1", "1.", ".5", "1e", "1e+", "0x10", "NaN", "Infinity",
            "\"", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\n\"", "\"\u{1}\"", "[", "]", "[1", "[1,", "[1,]",
            "[,1]", "[1 2]", "{", "}", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{a:1}", "{1:1}",
            "{\"a\" 1}", "1 2", "[1]]", "'a'", "// c\n1", "\u{FEFF}1", "1\u{A0}", "-01", "--1", "1.e3",
        ])
    func refused(text: String) {
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: text) }
    }

    @Test(
        "lone surrogates are refused",
        arguments: [#""\uD800""#, #""\uDC00""#, #""\uD800\uD800""#, #""\uD800x""#, #""\uD800\n""#, #""\uDBFF\u0041""#])
    func surrogates(text: String) {
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: text) }
    }

    @Test(
        "invalid UTF-8 is refused",
        arguments: [
            [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82], [0xF4, 0x90, 0x80, 0x80], [0x80],
            [0x5C, 0x6E, 0xFF],
        ] as [[UInt8]])
    func invalidUTF8(bytes: [UInt8]) {
        let quoted: [UInt8] = [0x22] + bytes + [0x22]
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: quoted) }
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: [0x7B] + quoted + [0x3A, 0x31, 0x7D]) }
    }

    @Test("a byte order mark is refused by name")
    func byteOrderMark() {
        let error = #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: [0xEF, 0xBB, 0xBF, 0x31]) }
        #expect(error?.reason.contains("byte order mark") == true)
    }

    @Test("a duplicate key is refused with its place", arguments: [#"{"a":1,"a":1}"#, #"{"a":1,"\u0061":2}"#])
    func duplicates(text: String) {
        let error = #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: text) }
        #expect(error?.reason == "duplicate key \"a\"")
        #expect(error?.offset == 7)
    }

    @Test("100,000 levels are refused without exhausting the stack", arguments: ["[", "{\"a\":", "[{\"a\":["])
    func depthAttack(unit: String) {
        let error = #expect(throws: JSONSyntaxError.self) {
            try JSONValue(parsing: String(repeating: unit, count: 100_000))
        }
        #expect(error?.reason.contains("nested deeper") == true)
    }

    @Test("the depth limit counts open arrays and objects, and is itself bounded")
    func depthLimit() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(throws: Never.self) { try JSONValue(parsing: nested(256)) }
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: nested(257)) }
        #expect(throws: JSONSyntaxError.self) {
            try JSONValue(parsing: nested(5000), limits: JSONLimits(maximumDepth: .max))
        }
        #expect(throws: Never.self) { try JSONValue(parsing: "[[],[],[]]", limits: JSONLimits(maximumDepth: 2)) }
    }

    @Test("numbers that nothing can hold are refused")
    func hugeNumbers() throws {
        let digits = String(repeating: "9", count: 1000)
        for text in ["1e400", "-1e400", digits, "-" + digits, "9223372036854775808", "-9223372036854775809"] {
            #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: text) }
        }
        #expect(try JSONValue(parsing: "1e-400") == .double(0))
        #expect(try JSONValue(parsing: "9223372036854775808.0") == .double(9_223_372_036_854_775_808))
    }

    @Test("a document above the size limit is refused")
    func sizeLimit() {
        #expect(throws: JSONSyntaxError.self) {
            try JSONValue(parsing: "[1,2,3]", limits: JSONLimits(maximumBytes: 6))
        }
    }

    @Test("an error names line and column")
    func position() {
        let error = #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: "{\n  \"a\": x\n}") }
        #expect(error?.description == "line 2, column 8: unexpected \"x\", expected a value")
    }

    @Test("any sequence of bytes can be parsed")
    func sequences() throws {
        #expect(try JSONValue(parsing: AnySequence("[1]".utf8)) == [1])
        #expect(try JSONValue(parsing: Array("x[1]".utf8).dropFirst()) == [1])
    }
}
