import KubernetesAPI

/// A kubeconfig file: clusters, users, and the contexts that pair them.
///
/// Relative file names in it are relative to its directory.
public struct Kubeconfig: Sendable {
    /// Path of the file, for error messages and relative names.
    public let file: String
    /// The context used when none is asked for.
    public let currentContext: String?
    private let root: JSONValue

    /// Reads and parses a kubeconfig file.
    public init(contentsOf file: String) throws(KubeconfigError) {
        do {
            try self.init(text: String(decoding: CredentialFile.read(file), as: UTF8.self), file: file)
        } catch let error as KubeconfigError {
            throw error
        } catch {
            throw KubeconfigError(file: file, field: "", reason: "\(error)")
        }
    }

    /// - Parameter file: where the text came from; its directory anchors relative names.
    public init(text: String, file: String) throws(KubeconfigError) {
        let documents: [YAMLDocument]
        do {
            documents = try YAMLDocuments.parse(text, file: file)
        } catch {
            throw KubeconfigError(file: file, field: "", reason: "not YAML: \(error)")
        }
        guard documents.count == 1, let root = documents.first?.value, root.objectValue != nil else {
            throw KubeconfigError(
                file: file, field: "", reason: "must hold exactly one document with clusters, users and contexts")
        }
        if let kind = root["kind"], kind.stringValue != "Config" {
            throw KubeconfigError(file: file, field: "kind", reason: "must be Config, is \(kind)")
        }
        self.file = file
        self.root = root
        let reader = KubeconfigFields(file: file, path: "", value: root)
        currentContext = try reader.string("current-context")
    }

    /// The names of all contexts, in file order.
    public var contextNames: [String] {
        (root["contexts"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
    }

    /// Everything an `APIClient` needs for one context; certificate files are read now, token files later.
    ///
    /// - Parameter context: nil uses `current-context`.
    public func configuration(context: String? = nil) throws(KubeconfigError) -> APIClientConfiguration {
        guard let name = context ?? currentContext, !name.isEmpty else {
            throw KubeconfigError(file: file, field: "current-context", reason: "not set; name a context")
        }
        let fields = KubeconfigFields(file: file, path: "", value: root)
        let pair = try fields.entry(named: name, list: "contexts", child: "context")
        guard let clusterName = try pair.string("cluster") else { throw pair.missing("cluster") }
        let cluster = try fields.entry(named: clusterName, list: "clusters", child: "cluster")
        var configuration = try Self.cluster(cluster)
        if let userName = try pair.string("user"), !userName.isEmpty {
            try Self.addUser(fields.entry(named: userName, list: "users", child: "user"), to: &configuration)
        }
        return configuration
    }

    /// The namespace of a context, when it names one.
    public func namespace(context: String? = nil) throws(KubeconfigError) -> String? {
        guard let name = context ?? currentContext else { return nil }
        let fields = KubeconfigFields(file: file, path: "", value: root)
        return try fields.entry(named: name, list: "contexts", child: "context").string("namespace")
    }

    private static func cluster(_ cluster: KubeconfigFields) throws(KubeconfigError) -> APIClientConfiguration {
        guard let text = try cluster.string("server"), !text.isEmpty else { throw cluster.missing("server") }
        let server: ServerAddress
        do {
            server = try ServerAddress(parsing: text)
        } catch {
            throw cluster.error("server", "\(error)")
        }
        if let proxy = try cluster.string("proxy-url"), !proxy.isEmpty {
            throw cluster.error("proxy-url", "not supported: connections to the API server are made directly")
        }
        var configuration = APIClientConfiguration(server: server)
        configuration.certificateAuthorityPEM = try cluster.pem("certificate-authority")
        configuration.tlsServerName = try cluster.string("tls-server-name")
        configuration.insecureSkipTLSVerify = try cluster.bool("insecure-skip-tls-verify") ?? false
        if configuration.insecureSkipTLSVerify, configuration.certificateAuthorityPEM != nil {
            throw cluster.error(
                "insecure-skip-tls-verify", "contradicts certificate-authority; remove one of the two")
        }
        return configuration
    }

    private static func addUser(
        _ user: KubeconfigFields, to configuration: inout APIClientConfiguration
    ) throws(KubeconfigError) {
        for plugin in ["exec", "auth-provider"] where user.has(plugin) {
            throw user.error(
                plugin, "not supported: credential plugins are not run; use a client certificate, token or tokenFile")
        }
        for field in ["username", "password", "as", "as-uid", "as-groups", "as-user-extra"] where user.has(field) {
            throw user.error(field, "not supported; use a client certificate, token or tokenFile")
        }
        configuration.clientCertificatePEM = try user.pem("client-certificate")
        configuration.clientKeyPEM = try user.pem("client-key")
        if configuration.clientCertificatePEM != nil, configuration.clientKeyPEM == nil {
            throw user.error("client-key", "missing: client-certificate needs its key")
        }
        if configuration.clientKeyPEM != nil, configuration.clientCertificatePEM == nil {
            throw user.error("client-certificate", "missing: client-key needs its certificate")
        }
        // A token file wins over a token, as in other clients: the fixed one is only its first value.
        if let path = try user.string("tokenFile"), !path.isEmpty {
            configuration.bearerToken = .file(user.resolved(path))
        } else if let token = try user.string("token"), !token.isEmpty {
            guard token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                throw user.error("token", "holds a blank or a character that is not printable ASCII")
            }
            configuration.bearerToken = .fixed(token)
        }
    }
}
