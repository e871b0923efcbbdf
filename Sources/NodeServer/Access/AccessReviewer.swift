/// Who knows whom and what they may do: an API server, and the authority that signs clients' certificates.
public protocol AccessReviewer: Sendable {
    /// Nil when the certificate proves nothing here.
    func caller(certificateDER: [UInt8]) async -> NodeCaller?

    /// Nil when nobody is behind the token.
    /// - Throws: when that cannot be told now.
    func caller(token: String) async throws -> NodeCaller?

    /// Whether the caller may do `verb` on `nodes/SUBRESOURCE` of this node.
    /// - Throws: when that cannot be told now.
    func allows(_ caller: NodeCaller, verb: String, subresource: String) async throws -> Bool
}
