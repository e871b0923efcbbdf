import KubernetesAPI
import Testing

@Suite("Reading one part of a document")
struct JSONPartReaderTests {
    private static let document = Array(
        #"""
        {"kind":"Pod","metadata":{"annotations":{"a\"}{":"}]\\","labels":"no"},"labels":{"app":"web","n":"\u00e9"},
         "name" : "one" , "count":3,"nothing":null},"spec":{"list":[{"x":[1,2,{"y":"]"}]}],"last":true}}
        """#.utf8)

    @Test(
        "a part is what the whole has at its place",
        arguments: [
            ["kind"], ["metadata"], ["metadata", "labels"], ["metadata", "labels", "n"], ["metadata", "name"],
            ["metadata", "count"], ["metadata", "nothing"], ["spec", "list"], ["spec", "last"], [],
        ])
    func partIsWhatTheWholeHas(path: [String]) throws {
        let whole = try JSONValue(parsing: Self.document)
        #expect(JSONValue.part(path, of: Self.document) == whole[path: path])
    }

    @Test(
        "what is not there is nil",
        arguments: [
            ["absent"], ["metadata", "absent"], ["kind", "x"], ["spec", "list", "x"],
            ["metadata", "labels", "app", "x"],
        ])
    func whatIsNotThereIsNil(path: [String]) {
        #expect(JSONValue.part(path, of: Self.document) == nil)
    }

    @Test("a document that was cut anywhere gives nil or a part, and is not read beyond its end")
    func cutDocumentsAreSafe() throws {
        let whole = try JSONValue(parsing: Self.document)
        for length in 0..<Self.document.count {
            let part = JSONValue.part(["spec", "last"], of: Array(Self.document.prefix(length)))
            #expect(part == nil || part == whole[path: "spec", "last"])
        }
    }
}
