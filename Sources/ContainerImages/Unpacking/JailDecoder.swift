/// Reads what ``JailEncoder`` wrote, when nobody vouches for who did: every count is checked before anything is made of it.
struct JailDecoder {
    /// Not what it should be; says at which byte.
    struct Failure: Error, Hashable, CustomStringConvertible {
        let offset: Int
        let reason: String

        var description: String { "byte \(offset): \(reason)" }
    }

    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func failure(_ reason: String) -> Failure { Failure(offset: offset, reason: reason) }

    mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) throws(Failure) -> Value {
        let size = MemoryLayout<Value>.size
        guard bytes.count - offset >= size else { throw failure("ends too early") }
        let value = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Value.self) }
        offset += size
        return Value(littleEndian: value)
    }

    mutating func bool() throws(Failure) -> Bool {
        switch try integer(UInt8.self) {
        case 0: false
        case 1: true
        default: throw failure("is neither true nor false")
        }
    }

    /// At most `limit` bytes.
    mutating func bytes(limit: Int) throws(Failure) -> [UInt8] {
        let count = Int(try integer(UInt32.self))
        guard count <= limit else { throw failure("\(count) bytes instead of at most \(limit)") }
        guard bytes.count - offset >= count else { throw failure("ends too early") }
        defer { offset += count }
        return Array(bytes[offset..<offset + count])
    }

    mutating func text(limit: Int) throws(Failure) -> String {
        guard let text = String(validating: try bytes(limit: limit), as: UTF8.self) else {
            throw failure("is not UTF-8")
        }
        return text
    }

    /// A number of things, each of at least one byte.
    mutating func count() throws(Failure) -> Int {
        let count = Int(try integer(UInt32.self))
        guard count <= bytes.count - offset else { throw failure("announces \(count) things that are not there") }
        return count
    }

    func end() throws(Failure) {
        guard offset == bytes.count else { throw failure("goes on after its end") }
    }
}
