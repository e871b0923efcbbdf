public import Logging

/// What a node that has no endpoint beside it shows to those who connect to its API, when nobody gave it a certificate: as kubelet, one
/// that it made for itself.
public enum NodeServingCredential {
    /// The stored one while it is good for these names, else a new one.
    /// - Parameters:
    ///   - directory: of this alone: an authority of its own is kept there, which nobody needs to trust.
    ///   - names: of the node, and its addresses.
    public static func loadOrCreate(
        directory: String, names: [String], logger: Logger
    ) throws(CertificateError) -> Credential {
        let authority = try CertificateAuthority.loadOrCreate(directory: directory, logger: logger)
        return try authority.credential("node-serving", .serving(names: names), logger: logger)
    }
}
