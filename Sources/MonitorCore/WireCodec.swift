/// Bytes that do not decode: cut short, a length beyond the limit, an unknown tag, an interior NUL.
public struct WireError: Error, Hashable, Sendable {
    public enum Code: UInt8, Sendable {
        case truncated, tooLong, unknownTag, interiorNUL, badVersion, trailingBytes
    }

    public let code: Code
    /// Where in the bytes.
    public let offset: Int

    public init(_ code: Code, offset: Int) {
        self.code = code
        self.offset = offset
    }
}

/// Appends little-endian integers and length-prefixed bytes.
public struct WireWriter: Sendable {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    public mutating func write(_ value: UInt8) { bytes.append(value) }

    public mutating func write(_ value: Bool) { bytes.append(value ? 1 : 0) }

    public mutating func write(_ value: UInt32) {
        for shift in stride(from: UInt32(0), to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    public mutating func write(_ value: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    public mutating func write(_ value: Int32) { write(UInt32(bitPattern: value)) }

    public mutating func write(_ value: Int64) { write(UInt64(bitPattern: value)) }

    public mutating func write(_ value: [UInt8]) {
        write(UInt32(value.count))
        bytes.append(contentsOf: value)
    }

    public mutating func write(_ value: CString) {
        write(UInt32(value.text.count))
        bytes.append(contentsOf: value.text)
    }

    public mutating func write(_ values: [CString]) {
        write(UInt32(values.count))
        for value in values { write(value) }
    }

    public mutating func write(_ values: [UInt32]) {
        write(UInt32(values.count))
        for value in values { write(value) }
    }

    public mutating func write(_ value: CString?) {
        write(value != nil)
        if let value { write(value) }
    }
}

/// Reads what ``WireWriter`` wrote. Every length is checked against what is left before anything is allocated.
public struct WireReader: ~Copyable {
    private let bytes: [UInt8]
    public private(set) var offset = 0

    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    public var remaining: Int { bytes.count - offset }

    public mutating func readByte() throws(WireError) -> UInt8 {
        guard offset < bytes.count else { throw WireError(.truncated, offset: offset) }
        let value = bytes[offset]
        offset += 1
        return value
    }

    public mutating func readBool() throws(WireError) -> Bool { try readByte() != 0 }

    public mutating func readUInt32() throws(WireError) -> UInt32 {
        var value: UInt32 = 0
        for shift in stride(from: UInt32(0), to: 32, by: 8) { value |= UInt32(try readByte()) << shift }
        return value
    }

    public mutating func readUInt64() throws(WireError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 8) { value |= UInt64(try readByte()) << shift }
        return value
    }

    public mutating func readInt32() throws(WireError) -> Int32 { Int32(bitPattern: try readUInt32()) }

    public mutating func readInt64() throws(WireError) -> Int64 { Int64(bitPattern: try readUInt64()) }

    /// A count of items that each take at least one byte.
    public mutating func readCount() throws(WireError) -> Int {
        let count = Int(try readUInt32())
        guard count <= remaining else { throw WireError(.tooLong, offset: offset) }
        return count
    }

    public mutating func readBytes() throws(WireError) -> [UInt8] {
        let count = try readCount()
        let value = [UInt8](bytes[offset..<offset + count])
        offset += count
        return value
    }

    public mutating func readCString() throws(WireError) -> CString {
        let start = offset
        guard let value = CString(try readBytes()) else { throw WireError(.interiorNUL, offset: start) }
        return value
    }

    public mutating func readCStrings() throws(WireError) -> [CString] {
        let count = try readCount()
        var values: [CString] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try readCString()) }
        return values
    }

    public mutating func readUInt32s() throws(WireError) -> [UInt32] {
        let count = try readCount()
        var values: [UInt32] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try readUInt32()) }
        return values
    }

    public mutating func readOptionalCString() throws(WireError) -> CString? {
        try readBool() ? try readCString() : nil
    }

    /// Nothing may follow a complete message: a longer one came from another version.
    public func finish() throws(WireError) {
        guard remaining == 0 else { throw WireError(.trailingBytes, offset: offset) }
    }
}
