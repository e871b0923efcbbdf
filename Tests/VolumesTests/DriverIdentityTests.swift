import Testing

@testable import Volumes

@Suite("What a driver says of its node")
struct DriverIdentityTests {
    private static func answer(
        _ nodeID: String, most: UInt64 = 0, topology: [String: String] = [:]
    ) throws -> ProtobufFields {
        var message = ProtobufMessage()
        message.add(1, nodeID)
        message.add(2, most)
        if !topology.isEmpty {
            var segments = ProtobufMessage()
            segments.add(1, topology)
            message.add(3, segments)
        }
        return try #require(ProtobufFields(message.bytes))
    }

    @Test("its name of the node, where that is, and how many volumes it takes are read")
    func reading() throws {
        let full = try DriverIdentity(
            name: "d", Self.answer("i-1", most: 39, topology: ["example.org/zone": "a", "example.org/rack": "7"]))
        #expect(
            full
                == DriverIdentity(
                    name: "d", nodeID: "i-1", topology: ["example.org/zone": "a", "example.org/rack": "7"],
                    maximumVolumes: 39))
        #expect(try DriverIdentity(name: "d", Self.answer("i-1")).maximumVolumes == nil)
        let negative = UInt64(bitPattern: -1)
        #expect(try DriverIdentity(name: "d", Self.answer("i-1", most: negative)).maximumVolumes == nil)
        #expect(try DriverIdentity(name: "d", Self.answer("i-1", most: 1 << 40)).maximumVolumes == .max)
    }

    @Test("what no Node could show is refused")
    func refused() throws {
        let many = Dictionary(uniqueKeysWithValues: (0...64).map { ("k\($0)", "v") })
        for answer in [
            try Self.answer(""), try Self.answer("i", topology: ["a b": "c"]),
            try Self.answer("i", topology: ["a": "b/c"]), try Self.answer("i", topology: many),
        ] {
            #expect(throws: StorageCall.Failure.self) { try DriverIdentity(name: "d", answer) }
        }
    }
}
