/// Writes what the agent and its jailed processes tell each other: little-endian numbers, and bytes behind their count.
struct JailEncoder {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func add(_ value: Bool) { add(UInt8(value ? 1 : 0)) }

    mutating func add(bytes value: some Collection<UInt8>) {
        add(UInt32(clamping: value.count))
        bytes.append(contentsOf: value)
    }

    mutating func add(_ text: String) { add(bytes: text.utf8) }
}
