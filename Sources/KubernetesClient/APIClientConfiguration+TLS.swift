import NIOSSL

extension APIClientConfiguration {
    /// - Throws: naming the property whose PEM cannot be used.
    func tlsConfiguration() throws(APIClientConfigurationError) -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        if insecureSkipTLSVerify { tls.certificateVerification = .none }
        if let pem = certificateAuthorityPEM {
            tls.trustRoots = .certificates(try Self.certificates(pem, field: "certificateAuthorityPEM"))
        }
        if let pem = clientCertificatePEM {
            tls.certificateChain = try Self.certificates(pem, field: "clientCertificatePEM").map { .certificate($0) }
            guard let keyPEM = clientKeyPEM else {
                throw APIClientConfigurationError(field: "clientKeyPEM", reason: "missing for clientCertificatePEM")
            }
            do {
                tls.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: keyPEM, format: .pem))
            } catch {
                // The error of the TLS library may quote what it read, so it is not repeated.
                throw APIClientConfigurationError(
                    field: "clientKeyPEM", reason: "not an unencrypted private key in PEM form")
            }
        }
        return tls
    }

    private static func certificates(
        _ pem: [UInt8], field: String
    ) throws(APIClientConfigurationError) -> [NIOSSLCertificate] {
        do {
            let certificates = try NIOSSLCertificate.fromPEMBytes(pem)
            guard !certificates.isEmpty else {
                throw APIClientConfigurationError(field: field, reason: "holds no certificate")
            }
            return certificates
        } catch let error as APIClientConfigurationError {
            throw error
        } catch {
            throw APIClientConfigurationError(field: field, reason: "not a certificate in PEM form")
        }
    }
}
