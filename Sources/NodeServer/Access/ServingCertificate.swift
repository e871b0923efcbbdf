import NIOSSL
import Synchronization

/// What the node's HTTPS API shows to its clients: replaced while it is being served, for connections that begin after it.
public final class ServingCertificate: Sendable {
    typealias Pair = (chain: [NIOSSLCertificateSource], key: NIOSSLPrivateKeySource)

    private let pair: Mutex<Pair>

    /// - Throws: when that is no PEM with a certificate and its key.
    public init(certificatePEM: [UInt8], keyPEM: [UInt8]) throws {
        pair = Mutex(try Self.parse(certificatePEM, keyPEM))
    }

    public func replace(certificatePEM: [UInt8], keyPEM: [UInt8]) throws {
        let new = try Self.parse(certificatePEM, keyPEM)
        pair.withLock { $0 = new }
    }

    var current: Pair { pair.withLock { $0 } }

    private static func parse(_ certificate: [UInt8], _ key: [UInt8]) throws -> Pair {
        (
            try NIOSSLCertificate.fromPEMBytes(certificate).map { .certificate($0) },
            .privateKey(try NIOSSLPrivateKey(bytes: key, format: .pem))
        )
    }
}
