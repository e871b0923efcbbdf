import KubernetesAPI
import Testing

@Suite("YAML documents")
struct YAMLDocumentsTests {
    private func value(_ text: String) throws -> JSONValue? {
        try YAMLDocuments.parse(text, file: "test.yaml").first?.value
    }

    @Test(
        "unquoted scalars resolve as Kubernetes' tools resolve them",
        arguments: [
            ("yes", true), ("No", false), ("on", true), ("OFF", false), ("y", true), ("N", false), ("true", true),
            ("True", true), ("tRue", "tRue"), ("~", nil), ("null", nil), ("", nil), ("Null", nil), ("nULL", "nULL"),
            ("0", 0), ("12", 12), ("-12", -12), ("+12", 12), ("010", 8), ("0o17", 15), ("0x1F", 31), ("0b101", 5),
            ("-0x10", -16), ("1_000", 1000), ("09", 9), ("0644", 420), ("1.5", 1.5), ("1e3", 1000), ("1.0", 1),
            ("1.", 1), (".5", 0.5), ("1e-7", 0.0000001), ("-1.5e+3", -1500), ("12:30:45", "12:30:45"),
            ("1.2.3", "1.2.3"),
            ("2001-01-01", "2001-01-01"), ("0x", "0x"), ("-x", "-x"), ("1e", "1e"), ("+", "+"), (".", "."),
            ("e3", "e3"),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)), ("500m", "500m"),
            ("'yes'", "yes"), ("\"12\"", "12"), ("!!str 12", "12"), ("!!int '12'", 12), ("!!float '1.5'", 1.5),
            ("!!bool 'yes'", true), ("! 12", "12"), ("|-\n  12", "12"), (">-\n  a\n  b", "a b"),
            ("nginx:1.25", "nginx:1.25"),
        ] as [(String, JSONValue)])
    func scalars(text: String, expected: JSONValue) throws {
        #expect(try value("a: \(text)\n") == ["a": expected])
    }

    @Test(
        "scalars without a JSON form are refused",
        arguments: [
            ".inf", "-.INF", ".nan", "9223372036854775808", "0xFFFFFFFFFFFFFFFFFF", "!!int x", "!!bool 1", "!custom x",
            "!!binary aGk=", "!!set {a}", "!x [1]",
        ])
    func refusedScalars(text: String) {
        #expect(throws: YAMLSyntaxError.self) { try value("a: \(text)\n") }
    }

    @Test("keys become strings")
    func keys() throws {
        #expect(try value("1: a\ntrue: b\n1.5: c\n'~': d\n") == ["1": "a", "true": "b", "1.5": "c", "~": "d"])
        #expect(throws: YAMLSyntaxError.self) { try value("~: a") }
        #expect(throws: YAMLSyntaxError.self) { try value(": a") }
        #expect(try value("!!str yes: a\n'no': b\n'': c\n") == ["yes": "a", "no": "b", "": "c"])
        #expect(throws: YAMLSyntaxError.self) { try value("[1]: a") }
        #expect(throws: YAMLSyntaxError.self) { try value("? {a: b}\n: c") }
    }

    @Test("several documents are read and empty ones left out")
    func documents() throws {
        let documents = try YAMLDocuments.parse("# c\n---\na: 1\n---\n---\n# x\n...\n---\nb: [1, {c: d}]\n", file: "x")
        #expect(documents.map(\.value) == [["a": 1], ["b": [1, ["c": "d"]]]])
        #expect(try YAMLDocuments.parse("", file: "x").isEmpty)
        #expect(try YAMLDocuments.parse("# only\n", file: "x").isEmpty)
        #expect(try YAMLDocuments.parse("\u{FEFF}a: 1", file: "x").map(\.value) == [["a": 1]])
    }

    @Test("JSON is accepted as it is")
    func json() throws {
        let text = "{\t\"a\": \"\\ud83d\\ude00\", \"b\": [1.0, \"yes\"]}"
        #expect(try value(text) == ["a": "😀", "b": [1.0, "yes"]])
        let document = try #require(try YAMLDocuments.parse("{\n  \"a\": [1,\n    2]\n}", file: "x.json").first)
        #expect(document.position(of: FieldPath("a").index(1)).map { [$0.line, $0.column] } == [3, 5])
        #expect(throws: YAMLSyntaxError.self) { try value("{\"a\":1,\"a\":2}") }
    }

    @Test(
        "duplicate keys are refused with their line",
        arguments: ["a: 1\nb: 2\na: 3\n", "a: 1\nb: 2\n'a': 3\n", "1: x\nb: 2\n\"1\": y\n"])
    func duplicates(text: String) {
        let error = #expect(throws: YAMLSyntaxError.self) { try value(text) }
        #expect(error?.description.contains("duplicate key") == true)
        #expect(error?.file == "test.yaml")
    }

    @Test("merge keys fill in what the map does not say itself")
    func mergeKeys() throws {
        let text = """
            base: &base {a: 1, b: 2}
            other: &other {b: 3, c: 4}
            one: {<<: *base, b: 9}
            two:
              x: 0
              <<: [*base, *other]
            """
        let merged = try value(text)
        #expect(merged?["one"] == ["a": 1, "b": 9])
        #expect(merged?["two"] == ["x": 0, "a": 1, "b": 2, "c": 4])
        #expect(try value("'<<': {a: 1}") == ["<<": ["a": 1]])
        #expect(throws: YAMLSyntaxError.self) { try value("a: {<<: 1}") }
        #expect(throws: YAMLSyntaxError.self) { try value("a: {<<: [1]}") }
    }

    @Test("anchors and aliases repeat values")
    func aliases() throws {
        #expect(try value("a: &x [1, 2]\nb: *x\n") == ["a": [1, 2], "b": [1, 2]])
        #expect(throws: YAMLSyntaxError.self) { try value("a: *missing") }
        #expect(throws: YAMLSyntaxError.self) { try value("a: &a [*a]") }
    }

    @Test("an alias bomb is refused", arguments: [9, 30])
    func aliasBomb(levels: Int) {
        var text = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
        for level in 1...levels {
            let list = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ",")
            text += "a\(level): &a\(level) [\(list)]\n"
        }
        let error = #expect(throws: YAMLSyntaxError.self) { try value(text) }
        #expect(error?.reason == "the aliases expand to too much")
    }

    @Test("an alias bomb of merge keys is refused")
    func mergeBomb() {
        var text = "a0: &a0 {x: 1}\n"
        for level in 1...40 { text += "a\(level): &a\(level) {<<: [*a\(level - 1), *a\(level - 1)]}\n" }
        #expect(throws: YAMLSyntaxError.self) { try value(text) }
    }

    @Test("an alias bomb of long strings is refused")
    func stringBomb() {
        let text =
            "a: &a \(String(repeating: "x", count: 100_000))\nb: ["
            + Array(repeating: "*a", count: 1000).joined(separator: ",")
            + "]\n"
        #expect(throws: YAMLSyntaxError.self) { try value(text) }
    }

    @Test(
        "an alias bomb used as a key is refused before it is hashed",
        arguments: [
            "? *a40\n: x\n", "*a40 : x\n", "[*a40]: x\n", "{[*a40, *a40]}\n", "{*a40}\n", "{x,\n *a40}\n",
            "{x, # y\n *a40}\n", "{\"}\": 1, [*a40]}\n", "[? *a40]\n", "[*a40 : x]\n", "{ &x [*a40]}\n",
            "{!!seq [*a40]}\n",
        ])
    func keyBomb(key: String) {
        var text = "? &a0 [x]\n: y\n"
        for level in 1...40 { text += "? &a\(level) [*a\(level - 1), *a\(level - 1)]\n: y\n" }
        #expect(throws: YAMLSyntaxError.self) { try value(text + key) }
        var block = "- &a0 [x]\n"
        for level in 1...40 { block += "- &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        #expect(throws: YAMLSyntaxError.self) { try value(block + "- " + key.replacing("\n:", with: "\n  :")) }
    }

    @Test("the largest bomb of keys that is parsed is refused soon")
    func smallKeyBomb() {
        var text = "- &a0 [x]\n"
        for level in 1...13 { text += "- &a\(level) [*a\(level - 1), *a\(level - 1), *a\(level - 1)]\n" }
        let error = #expect(throws: YAMLSyntaxError.self) { try value(text + "- ? *a13\n  : x\n") }
        #expect(error?.reason == "the aliases expand to too much")
    }

    @Test("a chain of anchors is refused before it nests too deep to be freed", arguments: [150, 300, 50_000])
    func anchorChain(length: Int) {
        var text = "- &a0 [x]\n"
        for level in 1...length { text += "- &a\(level) [*a\(level - 1)]\n" }
        #expect(throws: YAMLSyntaxError.self) { try value(text) }
        #expect(throws: YAMLSyntaxError.self) { try value(text + "]") }
    }

    @Test(
        "a chain of anchors with deep links is refused before it nests too deep to be freed",
        arguments: [("[", "]"), ("{a: ", "}"), ("- ", "")])
    func deepChain(open: String, close: String) {
        for links in [9, 250] {
            var text = "- &a0 [x]\n"
            for level in 1...links {
                text += "- &a\(level)\n  " + String(repeating: open, count: 900) + "*a\(level - 1)"
                text += String(repeating: close, count: 900) + "\n"
            }
            #expect(throws: YAMLSyntaxError.self) { try value(text) }
            #expect(throws: YAMLSyntaxError.self) { try value(text + "]") }
        }
    }

    @Test("a file with many anchors and code in its strings is still accepted")
    func innocent() throws {
        var text = "base: &base {a: 1}\ncode: |\n"
        for line in 0..<2000 { text += "  int *p\(line) = {x}, *q; if (a && b) [c]: d - e ? f : g(&x, &y\(line));\n" }
        for index in 0..<20 { text += "use\(index): *base\n" }
        #expect(try value(text)?["use19"] == ["a": 1])
    }

    @Test("100,000 levels are refused", arguments: ["[", "{a: ", "- ", "? ", "[{a: "])
    func depthAttack(unit: String) {
        #expect(throws: YAMLSyntaxError.self) { try value(String(repeating: unit, count: 100_000)) }
    }

    @Test("the depth limit is 100 levels")
    func depthLimit() throws {
        func nested(_ depth: Int) -> String {
            "a: " + String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(throws: Never.self) { try value(nested(99)) }
        #expect(throws: YAMLSyntaxError.self) { try value(nested(100)) }
    }

    @Test("a long list without aliases is accepted")
    func longList() throws {
        let text = "a:\n" + String(repeating: "- b\n", count: 120_000)
        #expect(try value(text)?["a"]?.arrayValue?.count == 120_000)
    }

    @Test(
        "what is no YAML is refused with file, line and column",
        arguments: ["a: b: c", "a: [1", "a:\n\t- b", "a: 'x", "%YAML 3.0\n---\na: 1", "a: \u{1}", "- a\nb: c", "*"])
    func syntaxErrors(text: String) {
        let error = #expect(throws: YAMLSyntaxError.self) { try value(text) }
        #expect(error?.description.hasPrefix("test.yaml:") == true)
    }

    @Test("positions lead to fields and list elements, or to what is around them")
    func positions() throws {
        let text = """
            kind: Pod
            spec:
              containers:
              - name: a
                image: x
              -  name: b
                 ports:
                 - containerPort: 80
            """
        let document = try #require(try YAMLDocuments.parse(text, file: "pod.yaml").first)
        func place(_ path: FieldPath) -> [Int]? { document.position(of: path).map { [$0.line, $0.column] } }
        let containers = FieldPath("spec", "containers")
        #expect(place("kind") == [1, 1])
        #expect(place("spec.containers") == [3, 3])
        #expect(place(containers.index(0)) == [4, 5])
        #expect(place(containers.index(0).child("image")) == [5, 5])
        #expect(place(containers.index(1).child("ports").index(0).child("containerPort")) == [8, 8])
        #expect(place(containers.index(1).child("image")) == [6, 6])
        #expect(place(containers.index(7)) == [3, 3])
        #expect(document.location(of: containers.index(0).child("image")) == "pod.yaml:5:5: spec.containers[0].image")
    }
}
