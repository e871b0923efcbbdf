import KubernetesAPI

/// The answer of a token server (Docker Registry v2 authentication, "Token Response Fields").
struct RegistryToken: Hashable, Sendable {
    let text: String

    /// Larger than any JWT that a header can carry.
    static let documentLimitBytes = 64 << 10

    /// `nil` when there is no token that may stand in a header.
    init?(parsing bytes: [UInt8]) {
        guard bytes.count <= Self.documentLimitBytes, let document = try? JSONValue(parsing: bytes) else { return nil }
        guard let text = document["token"]?.stringValue ?? document["access_token"]?.stringValue,
            Self.isHeaderValue(text)
        else { return nil }
        self.text = text
    }

    /// Visible ASCII: nothing that ends a header line.
    private static func isHeaderValue(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 32 << 10 && text.utf8.allSatisfy { (0x21..<0x7F).contains($0) }
    }
}
