import LinuxKernel
import Synchronization

/// The node's own credentials for registries: its file, and what credential providers say. ``run()`` asks them.
public final class NodeCredentials: Sendable {
    private struct Question: Hashable, Sendable {
        let provider: String
        let image: String
    }

    private let file: NodeCredentialFile
    private let configuration: CredentialProviderConfiguration?
    private let cache = Mutex(CredentialProviderCache())
    /// The same question at the same time is asked once.
    private let questions = SharedWork<Question, RegistryKeyring>()
    private let start = ContinuousClock.now
    /// A provider may take a minute: nobody else waits for it.
    private let pool: KernelThreadPool?

    private static let parallelPrograms = 4

    public init(file: NodeCredentialFile, providers: CredentialProviderConfiguration? = nil) {
        self.file = file
        configuration = providers
        pool = providers.map { _ in KernelThreadPool(threads: Self.parallelPrograms) }
    }

    /// Asks providers until cancelled.
    public func run() async { await questions.run() }

    /// What the node has for an image: the file's first, then the providers' in their order. A provider that fails is among the
    /// keyring's problems.
    ///
    /// - Throws: ``ImageError/Code/invalidCredentials`` for a file that is there and cannot be used.
    public func keyring(for reference: ImageReference) async throws(ImageError) -> RegistryKeyring {
        var keyring = try await file.keyring()
        for provider in configuration?.providers ?? [] where provider.isFor(reference) {
            do throws(ImageError) {
                keyring.append(try await answer(of: provider, reference))
            } catch {
                guard error.code != .cancelled else { throw error }
                keyring.problems.append(error.message)
            }
        }
        return keyring
    }

    private func answer(
        of provider: CredentialProvider, _ reference: ImageReference
    ) async throws(ImageError) -> RegistryKeyring {
        if let known = cached(provider, reference) { return known }
        let question = Question(provider: provider.name, image: reference.name)
        return try await questions.value(for: question) { () async throws(ImageError) in
            if let known = self.cached(provider, reference) { return known }
            return try await self.ask(provider, reference)
        }
    }

    private func cached(_ provider: CredentialProvider, _ reference: ImageReference) -> RegistryKeyring? {
        let now = ContinuousClock.now - start
        return cache.withLock { $0.keyring(provider: provider, reference, now: now) }
    }

    private func ask(_ provider: CredentialProvider, _ reference: ImageReference) async throws(ImageError)
        -> RegistryKeyring
    {
        guard let configuration, let pool else { return RegistryKeyring() }
        let subject = "credential provider \"\(provider.name)\""
        let program = CredentialProviderProgram(
            path: configuration.program(of: provider), arguments: provider.arguments,
            environment: provider.environment, subject: subject)
        let request = CredentialProviderReply.request(reference, apiVersion: provider.apiVersion)
        let bytes = try await pool.run { () throws(ImageError) in try program.run(request) }
        let reply = try CredentialProviderReply(parsing: bytes, apiVersion: provider.apiVersion, subject: subject)
        let now = ContinuousClock.now - start
        cache.withLock { $0.keep(reply, of: provider, for: reference, now: now) }
        return reply.keyring
    }
}
