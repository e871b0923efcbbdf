internal import NIOCore
internal import NIOSSL
internal import Synchronization

/// Who is behind each open connection, read from its certificate at its first request and kept until it closes.
final class ConnectionIdentities: Sendable {
    private let authenticator: ClientAuthenticator
    private let known = Mutex<[ObjectIdentifier: Identity?]>([:])

    init(authenticator: ClientAuthenticator) { self.authenticator = authenticator }

    /// Nil when the client gave no certificate, or one that proves nothing here.
    func identity(of channel: any Channel) async -> Identity? {
        let id = ObjectIdentifier(channel)
        if let identity = known.withLock({ $0[id] }) { return identity }
        let identity = await readCertificate(of: channel)
        known.withLock { $0[id] = .some(identity) }
        // An object identifier may be used again once the channel is gone.
        channel.closeFuture.whenComplete { [self] _ in known.withLock { _ = $0.removeValue(forKey: id) } }
        return identity
    }

    private func readCertificate(of channel: any Channel) async -> Identity? {
        guard let certificate = try? await channel.nioSSL_peerCertificate().get(),
            let bytes = try? certificate.toDERBytes()
        else { return nil }
        return await authenticator.identity(certificateDER: bytes)
    }
}
