/// Which images a credential provider is asked for, as `matchImages` writes it: `registry.example.org:5000/team`, `*.example.org`.
///
/// A host has as many labels as the pattern's, in which `*` stands for any text of one label; the port is the same or missing in both;
/// the path begins with the pattern's, letter by letter (k8s.io/kubernetes, pkg/credentialprovider, `URLsMatch`).
struct CredentialProviderPattern: Hashable, Sendable {
    private let labels: [Substring]
    private let port: Int?
    private let path: String

    /// `nil` for what can fit no image: with a scheme, white space, a query, or a host that is none.
    init?(_ text: String) {
        guard text.utf8.count <= 1024, !text.contains("://"),
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"?#@%\\".utf8.contains($0) })
        else { return nil }
        let authority = text.prefix { $0 != "/" }
        guard let (host, port) = RegistryURL.split(authority) else { return nil }
        labels = host.split(separator: ".", omittingEmptySubsequences: false).map { $0 }
        guard labels.allSatisfy({ !$0.isEmpty }) else { return nil }
        self.port = port
        path = String(text[authority.endIndex...])
    }

    /// - Parameter image: `registry/repository`, without tag and digest.
    func fits(_ image: String) -> Bool {
        let authority = image.prefix { $0 != "/" }
        guard let (host, port) = RegistryURL.split(authority), port == self.port else { return false }
        let offered = host.split(separator: ".", omittingEmptySubsequences: false)
        return offered.count == labels.count && image[authority.endIndex...].utf8.starts(with: path.utf8)
            && zip(labels, offered).allSatisfy { RegistryPattern.matches($0, $1) }
    }
}
