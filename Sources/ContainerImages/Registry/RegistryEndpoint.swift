/// One place to pull a repository from: the registry that an image's name says, or a mirror of it.
struct RegistryEndpoint: Hashable, Sendable {
    /// Scheme, host and port; no target.
    var url: RegistryURL
    /// The repository there: a mirror may keep it below a prefix of its own.
    var repository: String
    /// Certificates to trust in place of the system's.
    var caFile: String?
    /// Hosts of token servers that may see the credentials of this registry.
    var tokenHosts: [String]
    /// The name under which credential files know it.
    var credentialHost: String

    /// For messages.
    var name: String { url.authority }

    func manifest(_ tagOrDigest: String) -> RegistryURL { resource("manifests/" + tagOrDigest) }

    func blob(_ digest: ContentDigest) -> RegistryURL { resource("blobs/\(digest)") }

    private func resource(_ path: String) -> RegistryURL {
        var url = url
        url.target = "/v2/\(repository)/\(path)"
        return url
    }
}
