/// How to reach one API server and who to be there.
public struct APIClientConfiguration: Sendable {
    public var server: ServerAddress
    /// PEM bundle of the authorities that may sign the server's certificate; nil uses the system's.
    public var certificateAuthorityPEM: [UInt8]?
    /// PEM of the client certificate, leaf first.
    public var clientCertificatePEM: [UInt8]?
    /// PEM of the unencrypted private key of `clientCertificatePEM`.
    public var clientKeyPEM: [UInt8]?
    public var bearerToken: BearerToken?
    /// The name the server's certificate must carry instead of the host of `server`. The TLS library also accepts a
    /// certificate for the very address connected to.
    public var tlsServerName: String?
    /// Accept any server certificate. The connection is then open to whoever sits between.
    public var insecureSkipTLSVerify: Bool
    public var userAgent: String
    /// Time for one answer, body included; watches and streams only use it for the head of the answer.
    public var requestTimeout: Duration
    public var connectTimeout: Duration

    public init(
        server: ServerAddress, certificateAuthorityPEM: [UInt8]? = nil, clientCertificatePEM: [UInt8]? = nil,
        clientKeyPEM: [UInt8]? = nil, bearerToken: BearerToken? = nil, tlsServerName: String? = nil,
        insecureSkipTLSVerify: Bool = false, userAgent: String = "swiftlet", requestTimeout: Duration = .seconds(30),
        connectTimeout: Duration = .seconds(10)
    ) {
        self.server = server
        self.certificateAuthorityPEM = certificateAuthorityPEM
        self.clientCertificatePEM = clientCertificatePEM
        self.clientKeyPEM = clientKeyPEM
        self.bearerToken = bearerToken
        self.tlsServerName = tlsServerName
        self.insecureSkipTLSVerify = insecureSkipTLSVerify
        self.userAgent = userAgent
        self.requestTimeout = requestTimeout
        self.connectTimeout = connectTimeout
    }
}

extension APIClientConfiguration: CustomStringConvertible {
    /// Names the server and the kind of credentials, never the credentials.
    public var description: String {
        let certificate = clientCertificatePEM == nil ? "none" : "present"
        return "\(server), client certificate \(certificate), token \(bearerToken.map(\.description) ?? "none")"
    }
}

/// A configuration no client can be made from.
public struct APIClientConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The property of `APIClientConfiguration` at fault.
    public var field: String
    public var reason: String

    public var description: String { "API client configuration: \(field): \(reason)" }
}
