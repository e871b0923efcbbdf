internal import FoundationEssentials  // Base64 of Data.
internal import LinuxKernel

/// The file that lets kubectl reach the endpoint: address, authority and a client credential, all embedded.
public enum AdminKubeconfig {
    /// Writes the file atomically with mode 0600.
    /// - Parameter server: the URL of the endpoint, such as `https://127.0.0.1:6443`.
    public static func write(
        path: String, server: String, certificateAuthorityPEM: String, credential: Credential
    ) throws(CertificateError) {
        let text = text(server: server, certificateAuthorityPEM: certificateAuthorityPEM, credential: credential)
        do {
            try FileSystem.writeAtomically(path, Array(text.utf8), mode: 0o600)
        } catch {
            throw CertificateError(name: "kubeconfig", directory: path, reason: String(describing: error))
        }
    }

    static func text(server: String, certificateAuthorityPEM: String, credential: Credential) -> String {
        """
        apiVersion: v1
        kind: Config
        clusters:
        - name: swiftlet
          cluster:
            server: \(server)
            certificate-authority-data: \(base64(certificateAuthorityPEM))
        users:
        - name: swiftlet-admin
          user:
            client-certificate-data: \(base64(credential.certificatePEM))
            client-key-data: \(base64(credential.privateKeyPEM))
        contexts:
        - name: swiftlet
          context:
            cluster: swiftlet
            user: swiftlet-admin
        current-context: swiftlet

        """
    }

    private static func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
}
