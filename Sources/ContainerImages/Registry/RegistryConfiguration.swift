/// How this node reaches registries: mirrors, certificates, and where no encryption is allowed. Without a file every
/// registry is asked at its own name, over TLS, with the system's certificates.
public struct RegistryConfiguration: Hashable, Sendable {
    struct Mirror: Hashable, Sendable {
        var url: RegistryURL
        var repositoryPrefix: String
        var caFile: String?
        var tokenHosts: [String]
    }

    struct Host: Hashable, Sendable {
        /// As in image names: `docker.io`, `registry.example.org:5000`, or `*` for those not named.
        var host: String
        var plainHTTP = false
        var caFile: String?
        var tokenHosts: [String] = []
        var mirrors: [Mirror] = []
        var mirrorsOnly = false
    }

    var hosts: [Host] = []

    public init() {}

    /// Where to ask for an image, in order.
    func endpoints(for reference: ImageReference) -> [RegistryEndpoint] {
        let named = hosts.first { $0.host == reference.registry.lowercased() }
        let settings = named ?? hosts.first { $0.host == "*" } ?? Host(host: reference.registry)
        var endpoints = settings.mirrors.map { mirror in
            let prefix = mirror.repositoryPrefix.isEmpty ? "" : mirror.repositoryPrefix + "/"
            return RegistryEndpoint(
                url: mirror.url, repository: prefix + reference.repository, caFile: mirror.caFile,
                tokenHosts: mirror.tokenHosts, credentialHost: mirror.url.authority)
        }
        if !settings.mirrorsOnly, let own = Self.own(reference, settings) { endpoints.append(own) }
        return endpoints
    }

    private static func own(_ reference: ImageReference, _ settings: Host) -> RegistryEndpoint? {
        // Docker's hub answers at another name than its images have.
        let authority = reference.registry == "docker.io" ? "registry-1.docker.io" : reference.registry
        guard let (host, port) = RegistryURL.split(authority) else { return nil }
        let scheme: RegistryURL.Scheme = settings.plainHTTP ? .http : .https
        return RegistryEndpoint(
            url: RegistryURL(
                scheme: scheme, host: host, port: port ?? (settings.plainHTTP ? 80 : 443), target: ""),
            repository: reference.repository, caFile: settings.caFile, tokenHosts: settings.tokenHosts,
            credentialHost: reference.registry)
    }

    /// Whether a host and port may be talked to without TLS: only where a line of the file says so.
    func mayBePlain(_ url: RegistryURL) -> Bool {
        hosts.contains { settings in
            if settings.plainHTTP, let (host, port) = RegistryURL.split(settings.host) {
                if host == url.host, (port ?? 80) == url.port { return true }
            }
            return settings.mirrors.contains { $0.url.isSameOrigin(as: url) }
        }
    }

    /// Certificates to trust for a host that a redirect leads to.
    func caFile(for url: RegistryURL) -> String? {
        for settings in hosts {
            if let mirror = settings.mirrors.first(where: { $0.url.isSameOrigin(as: url) }) { return mirror.caFile }
            if let (host, port) = RegistryURL.split(settings.host), host == url.host, (port ?? 443) == url.port {
                return settings.caFile
            }
        }
        return nil
    }

    /// Every file with certificates that is named.
    var caFiles: Set<String> {
        Set(hosts.flatMap { settings in [settings.caFile] + settings.mirrors.map(\.caFile) }.compactMap(\.self))
    }
}
