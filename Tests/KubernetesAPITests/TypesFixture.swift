import Glibc
import KubernetesAPI
import Testing

/// The JSON files of `Fixtures/Types`, found by themselves.
enum TypesFixture {
    static let folder =
        "/" + "\(#filePath)".split(separator: "/").dropLast().joined(separator: "/") + "/Fixtures/Types"

    static let names: [String] = {
        var names: [String] = []
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(".json") { names.append(name) }
        }
        return names.sorted()
    }()

    static func read(_ name: String) throws -> JSONValue {
        let file = try #require(fopen("\(folder)/\(name)", "r"))
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        return try JSONValue(parsing: bytes)
    }

    /// Decodes and encodes again.
    static func roundTrip<T: Codable>(_: T.Type, _ value: JSONValue) throws -> JSONValue {
        try JSONValueEncoder().encode(JSONValueDecoder().decode(T.self, from: value))
    }
}

/// Decodes a value from JSON text written in a test.
func decodedObject<T: Decodable>(_: T.Type = T.self, _ text: String) throws -> T {
    try JSONValueDecoder().decode(T.self, from: JSONValue(parsing: text.utf8))
}
