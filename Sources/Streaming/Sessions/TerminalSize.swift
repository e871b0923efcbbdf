internal import KubernetesAPI
internal import NIOCore

/// Columns and rows of a terminal.
public struct TerminalSize: Hashable, Sendable {
    public let width: UInt16
    public let height: UInt16

    public init(width: UInt16, height: UInt16) {
        self.width = width
        self.height = height
    }

    /// As ``TerminalSizeReader`` reads it.
    var document: ByteBuffer { ByteBuffer(string: "{\"Width\":\(width),\"Height\":\(height)}") }
}

/// Reads `{"Width":80,"Height":24}` documents that follow each other on a stream.
struct TerminalSizeReader {
    private static let limit = 1024
    private var rest: [UInt8] = []

    mutating func append(_ bytes: ByteBuffer) throws(StreamingError) -> [TerminalSize] {
        rest.append(contentsOf: bytes.readableBytesView)
        var sizes: [TerminalSize] = []
        while let end = rest.firstIndex(of: UInt8(ascii: "}")) {
            guard let value = try? JSONValue(parsing: Array(rest[...end])), let width = value["Width"]?.intValue,
                let height = value["Height"]?.intValue, let width = UInt16(exactly: width),
                let height = UInt16(exactly: height)
            else { throw StreamingError("a terminal size is not {\"Width\":columns,\"Height\":rows}") }
            sizes.append(TerminalSize(width: width, height: height))
            rest.removeSubrange(...end)
        }
        guard rest.count <= Self.limit else { throw StreamingError("a terminal size has more than 1024 bytes") }
        return sizes
    }
}
