@testable import ContainerImages

/// A store and a puller that knows one registry without TLS, or more.
enum PullFixture {
    static func run(
        plain hosts: [String], mirrors: [String: [String]] = [:], limits: UnpackLimits = UnpackLimits(),
        trust: @escaping @Sendable () -> ImageTrustPolicy = { ImageTrustPolicy() },
        _ body: (StoreFixture, ImagePuller) async throws -> Void
    ) async throws {
        try await StoreFixture.run(limits: limits) { store in
            var configuration = RegistryConfiguration()
            configuration.hosts = hosts.map { host in
                RegistryConfiguration.Host(
                    host: host, plainHTTP: true,
                    mirrors: (mirrors[host] ?? []).compactMap { RegistryURL("http://\($0)") }.map {
                        RegistryConfiguration.Mirror(url: $0, repositoryPrefix: "", caFile: nil, tokenHosts: [])
                    })
            }
            let puller = ImagePuller(images: store.manager, configuration: configuration, limits: limits, trust: trust)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await puller.run() }
                defer { group.cancelAll() }
                try await body(store, puller)
            }
        }
    }

    /// The error of a pull that must fail, and what the store has afterwards.
    static func refusal(
        limits: UnpackLimits = UnpackLimits(), name: String = "team/app:1",
        keyring: RegistryKeyring = RegistryKeyring(),
        _ answer: @escaping FakeRegistry.Handler
    ) async throws -> (error: ImageError, left: [String], requests: [FakeRegistry.Request]) {
        var result: (ImageError, [String], [FakeRegistry.Request])?
        try await FakeRegistry.run(answer) { registry in
            try await run(plain: [registry.host], limits: limits) { store, puller in
                do throws(ImageError) {
                    _ = try await puller.pull(
                        try ImageReference(parsing: "\(registry.host)/\(name)"), keyring: keyring)
                } catch {
                    result = (error, try store.stored(), registry.requests)
                }
            }
        }
        guard let result else { throw ImageError(.invalidAnswer, "the pull did not fail") }
        return result
    }

    /// As in a pod's pull secret.
    static func keyring(
        _ host: String, user: String, password: String, source: RegistryCredential.Source = .node
    ) throws -> RegistryKeyring {
        let text = #"{"auths": {"\#(host)": {"username": "\#(user)", "password": "\#(password)"}}}"#
        return try RegistryKeyring(parsing: Array(text.utf8), source: source, subject: "test")
    }
}
