internal import SwiftASN1
internal import Synchronization
internal import X509

/// Who may say who the clients of a joined node are. They are learnt from its API server, which may be later than the node's start.
public final class ClientAuthorities: Sendable {
    private struct State {
        var certificates: [Certificate] = []
        var authenticator: ClientAuthenticator?
    }

    private let state = Mutex(State())

    public init() {}

    /// Nil when the certificate proves nothing here, or not yet.
    public func identity(certificateDER bytes: [UInt8]) async -> Identity? {
        await state.withLock { $0.authenticator }?.identity(certificateDER: bytes)
    }

    var certificates: [Certificate] { state.withLock { $0.certificates } }

    /// Takes those of the published authorities that the node trusts already, as what signs its API server's own certificate. So
    /// whoever may write what is published can take an authority away, and never add one.
    func replace(published: String, trusted: String) throws {
        let trusted = try Self.certificates(trusted)
        let common = try Self.certificates(published).filter(trusted.contains)
        let authenticator = common.isEmpty ? nil : ClientAuthenticator(authorities: common)
        state.withLock { $0 = State(certificates: common, authenticator: authenticator) }
    }

    private static func certificates(_ pem: String) throws -> [Certificate] {
        try PEMDocument.parseMultiple(pemString: pem)
            .filter { $0.discriminator == Certificate.defaultPEMDiscriminator }
            .map { try Certificate(pemDocument: $0) }
    }
}
