/// A protobuf message under construction, as far as storage drivers need it. Values that are their type's zero are left out.
struct ProtobufMessage: Hashable, Sendable {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ field: UInt64, _ text: String) {
        if !text.isEmpty { addBytes(field, Array(text.utf8)) }
    }

    mutating func add(_ field: UInt64, _ number: UInt64) {
        if number == 0 { return }
        Self.append(field << 3, to: &bytes)
        Self.append(number, to: &bytes)
    }

    mutating func add(_ field: UInt64, _ flag: Bool) { add(field, flag ? 1 : UInt64(0)) }

    /// Also an empty one: that it is there says something.
    mutating func add(_ field: UInt64, _ message: ProtobufMessage) { addBytes(field, message.bytes) }

    mutating func add(_ field: UInt64, _ map: [String: String]) {
        for (key, value) in map.sorted(by: { $0.key < $1.key }) {
            var entry = ProtobufMessage()
            entry.add(1, key)
            entry.add(2, value)
            add(field, entry)
        }
    }

    private mutating func addBytes(_ field: UInt64, _ value: [UInt8]) {
        Self.append(field << 3 | 2, to: &bytes)
        Self.append(UInt64(value.count), to: &bytes)
        bytes += value
    }

    private static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}

/// The fields of a protobuf message that was received, by number. Nothing in it is trusted: what is no message is nil.
struct ProtobufFields: Sendable {
    private var numbers: [UInt64: [UInt64]] = [:]
    private var contents: [UInt64: [[UInt8]]] = [:]

    init?(_ bytes: some Collection<UInt8>) {
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            guard let tag = Self.take(&rest) else { return nil }
            switch tag & 7 {
            case 0:
                guard let value = Self.take(&rest) else { return nil }
                numbers[tag >> 3, default: []].append(value)
            case 1:
                guard rest.count >= 8 else { return nil }
                rest = rest.dropFirst(8)
            case 2:
                guard let length = Self.take(&rest), length <= UInt64(rest.count) else { return nil }
                contents[tag >> 3, default: []].append(Array(rest.prefix(Int(length))))
                rest = rest.dropFirst(Int(length))
            case 5:
                guard rest.count >= 4 else { return nil }
                rest = rest.dropFirst(4)
            default: return nil
            }
        }
    }

    /// The last one, as protobuf wants it; 0 when there is none.
    func number(_ field: UInt64) -> UInt64 { numbers[field]?.last ?? 0 }

    func text(_ field: UInt64) -> String { texts(field).last ?? "" }

    func texts(_ field: UInt64) -> [String] { (contents[field] ?? []).map { String(decoding: $0, as: UTF8.self) } }

    /// Those that can be read.
    func messages(_ field: UInt64) -> [ProtobufFields] { (contents[field] ?? []).compactMap { ProtobufFields($0) } }

    private static func take(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard let byte = bytes.popFirst() else { return nil }
            value |= shift < 64 ? UInt64(byte & 0x7F) << shift : 0
            if byte < 0x80 { return value }
        }
        return nil
    }
}
