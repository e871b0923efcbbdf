/// One program that gives credentials for some images, as a CredentialProviderConfig (`kubelet.config.k8s.io/v1`) names it.
struct CredentialProvider: Hashable, Sendable {
    struct Variable: Hashable, Sendable {
        let name: String
        let value: String
    }

    /// Also that of its program.
    var name: String
    var patterns: [CredentialProviderPattern]
    /// How long an answer is kept that does not say it itself.
    var defaultCacheDuration: Duration
    /// Of the question and the answer: `credentialprovider.kubelet.k8s.io/v1`.
    var apiVersion: String
    var arguments: [String] = []
    /// On top of the agent's own.
    var environment: [Variable] = []

    func isFor(_ reference: ImageReference) -> Bool { patterns.contains { $0.fits(reference.name) } }
}
