import KubernetesAPI
import Testing

@Suite("IntOrString")
struct IntOrStringTests {
    @Test("a number stays a number and a string a string")
    func coding() throws {
        let decoder = JSONValueDecoder()
        #expect(try decoder.decode(IntOrString.self, from: 8080) == .int(8080))
        #expect(try decoder.decode(IntOrString.self, from: "8080") == .string("8080"))
        #expect(try decoder.decode([IntOrString].self, from: ["25%", 1]) == [.string("25%"), .int(1)])
        #expect(try JSONValueEncoder().encode([IntOrString.int(1), .string("http")]) == [1, "http"])
    }

    @Test("what is neither is refused", arguments: [true, 1.5, nil, [], [:], 3_000_000_000] as [JSONValue])
    func refused(value: JSONValue) {
        #expect(throws: JSONDecodingError.self) { try JSONValueDecoder().decode(IntOrString.self, from: value) }
    }
}
