/// A path, argument or name as the kernel wants it: bytes that end in NUL and hold no other.
///
/// Not a `String`: the monitor has no Unicode tables, and a Linux path is bytes.
public struct CString: Hashable, Sendable {
    /// The bytes with the final NUL.
    public let bytes: [UInt8]

    /// `nil` when the text itself holds a NUL, which would silently cut it short.
    public init?(_ text: some Sequence<UInt8>) {
        var bytes = [UInt8](text)
        for byte in bytes where byte == 0 { return nil }
        bytes.append(0)
        self.bytes = bytes
    }

    /// A literal, which never holds a NUL.
    public init(terminated literal: StaticString) {
        var bytes: [UInt8] = []
        literal.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(0)
        self.bytes = bytes
    }

    /// The bytes without the final NUL.
    public var text: ArraySlice<UInt8> { bytes.dropLast() }

    public var isEmpty: Bool { bytes.count <= 1 }
}
