/// Text received from a container, which may be anything and as much as it likes.
enum ProbeText {
    /// The most of a body or an output that is looked at.
    static let maximumBytes = 10 * 1024

    static func text(_ bytes: some Collection<UInt8>) -> String {
        String(decoding: bytes.prefix(maximumBytes), as: UTF8.self)
    }
}
