extension EndpointCredentials {
    /// Whether a client certificate is an administrator's, or the endpoint's own towards its nodes.
    public func isAdministrator(certificateDER: [UInt8]) async -> Bool {
        let identity = await ClientAuthenticator(authority: authority).identity(certificateDER: certificateDER)
        return identity?.groups.contains(Identity.mastersGroup) == true
    }
}
