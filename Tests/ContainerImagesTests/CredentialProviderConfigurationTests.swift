import Testing

@testable import ContainerImages

@Suite("A CredentialProviderConfig")
struct CredentialProviderConfigurationTests {
    private static func parse(_ text: String) throws -> CredentialProviderConfiguration {
        try CredentialProviderConfiguration(parsing: text, file: "providers.yaml", binaryDirectory: "/opt/bin")
    }

    private static let whole = """
        apiVersion: kubelet.config.k8s.io/v1
        kind: CredentialProviderConfig
        providers:
        - name: ecr-credential-provider
          matchImages: ["*.dkr.ecr.*.amazonaws.com", "registry.io:8080/path"]
          defaultCacheDuration: 12h
          apiVersion: credentialprovider.kubelet.k8s.io/v1
          args: [get-credentials]
          env:
          - {name: AWS_PROFILE, value: example}
        """

    @Test("is read whole")
    func read() throws {
        let configuration = try Self.parse(Self.whole)
        let provider = try #require(configuration.providers.first)
        #expect(configuration.providers.count == 1)
        #expect(configuration.program(of: provider) == "/opt/bin/ecr-credential-provider")
        #expect(provider.defaultCacheDuration == .seconds(12 * 3600))
        #expect(provider.arguments == ["get-credentials"])
        #expect(provider.environment == [CredentialProvider.Variable(name: "AWS_PROFILE", value: "example")])
        #expect(provider.isFor(try ImageReference(parsing: "registry.io:8080/path/app:1")))
        #expect(!provider.isFor(try ImageReference(parsing: "registry.io/path/app:1")))
    }

    @Test(
        "is refused, naming the field",
        arguments: [
            ("kind: CredentialProviderConfig", "kind: KubeletConfiguration", "kind: must be CredentialProviderConfig"),
            ("kubelet.config.k8s.io/v1", "v1", "apiVersion: must be one of"),
            (
                "credentialprovider.kubelet.k8s.io/v1", "credentialprovider.kubelet.k8s.io/v2",
                "apiVersion: must be one of"
            ),
            ("name: ecr-credential-provider", "name: ../evil", "name: \"../evil\" is no name of a program"),
            ("name: ecr-credential-provider", "name: ..", "name: \"..\" is no name of a program"),
            ("defaultCacheDuration: 12h", "defaultCacheDuration: -1s", "defaultCacheDuration: must be a duration"),
            ("  defaultCacheDuration: 12h\n", "", "defaultCacheDuration: must be a duration"),
            (
                "\"registry.io:8080/path\"", "\"https://registry.io\"",
                "matchImages[1]: \"https://registry.io\" is no pattern"
            ),
            ("args: [get-credentials]", "arguments: [x]", "unknown field"),
            (
                "args: [get-credentials]", "tokenAttributes: {requireServiceAccount: true}",
                "tokenAttributes: is not carried out"
            ),
            ("name: AWS_PROFILE", "name: A=B", "env[0]: must have a name"),
        ])
    func refused(old: String, new: String, reason: String) throws {
        let text = Self.whole.replacing(old, with: new)
        let error = #expect(throws: CredentialProviderConfiguration.Invalid.self) { try Self.parse(text) }
        #expect(error?.problems.contains { $0.contains(reason) } == true, "\(error?.problems ?? [])")
    }

    @Test("is refused without providers, with two of one name, and when it is empty")
    func counts() {
        let head = "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\n"
        #expect(throws: CredentialProviderConfiguration.Invalid.self) { try Self.parse(head + "providers: []\n") }
        #expect(throws: CredentialProviderConfiguration.Invalid.self) { try Self.parse("") }
        let entry = Self.whole.split(separator: "\n").dropFirst(3).joined(separator: "\n")
        let error = #expect(throws: CredentialProviderConfiguration.Invalid.self) {
            try Self.parse(Self.whole + "\n" + entry)
        }
        #expect(error?.description.contains("is there already") == true)
    }
}

@Suite("What credential providers answer")
struct CredentialProviderReplyTests {
    private static let version = "credentialprovider.kubelet.k8s.io/v1"

    private static func reply(
        kind: String = "CredentialProviderResponse", version: String = version, rest: String
    ) throws -> CredentialProviderReply {
        let text = #"{"kind": "\#(kind)", "apiVersion": "\#(version)", \#(rest)}"#
        return try CredentialProviderReply(parsing: Array(text.utf8), apiVersion: Self.version, subject: "provider")
    }

    @Test("is read, and its credentials are the node's")
    func read() throws {
        let reply = try Self.reply(
            rest:
                #""cacheKeyType": "Registry", "cacheDuration": "5m0s", "auth": {"*.io": {"username": "u", "password": "p"}}"#
        )
        #expect(reply.cacheKey == .registry)
        #expect(reply.cacheDuration == .seconds(300))
        #expect(
            reply.keyring.credentials(registry: "registry.io", repository: "app")
                == [RegistryCredential(.password(user: "u", password: "p"), source: .node)])
        #expect(reply.keyring.credentials(registry: "registry.org", repository: "app").isEmpty)
    }

    @Test("may hold nothing")
    func nothing() throws {
        #expect(try Self.reply(rest: #""cacheKeyType": "Image""#).keyring.entries.isEmpty)
        #expect(try Self.reply(rest: #""cacheKeyType": "Image", "auth": null"#).keyring.entries.isEmpty)
    }

    @Test("is refused when it is another document, or a field of it is wrong")
    func refused() {
        #expect(throws: ImageError.self) { try Self.reply(kind: "Secret", rest: #""cacheKeyType": "Image""#) }
        #expect(throws: ImageError.self) { try Self.reply(version: "v1", rest: #""cacheKeyType": "Image""#) }
        #expect(throws: ImageError.self) { try Self.reply(rest: #""cacheKeyType": "Pod""#) }
        #expect(throws: ImageError.self) { try Self.reply(rest: #""auth": {}"#) }
        #expect(throws: ImageError.self) { try Self.reply(rest: #""cacheKeyType": "Image", "auth": []"#) }
        #expect(throws: ImageError.self) { try Self.reply(rest: #""cacheKeyType": "Image", "auth": {"a.io": "x"}"#) }
        #expect(throws: ImageError.self) { try Self.reply(rest: #""cacheKeyType": "Image", "cacheDuration": "-1s""#) }
        #expect(throws: ImageError.self) {
            try CredentialProviderReply(parsing: Array("password".utf8), apiVersion: Self.version, subject: "provider")
        }
    }

    @Test("counts for its image, its registry or all, until its time is over")
    func cache() throws {
        let provider = CredentialProvider(
            name: "a", patterns: [], defaultCacheDuration: .seconds(10), apiVersion: Self.version)
        let (one, other, foreign) = (
            try ImageReference(parsing: "r.io/one:1"), try ImageReference(parsing: "r.io/other"),
            try ImageReference(parsing: "s.io/one")
        )
        func cache(_ rest: String) throws -> CredentialProviderCache {
            var cache = CredentialProviderCache()
            cache.keep(try Self.reply(rest: rest), of: provider, for: one, now: .seconds(100))
            return cache
        }
        func has(_ cache: CredentialProviderCache, _ reference: ImageReference, _ seconds: Int) -> Bool {
            cache.keyring(provider: provider, reference, now: .seconds(seconds)) != nil
        }
        let image = try cache(#""cacheKeyType": "Image""#)
        #expect(has(image, try ImageReference(parsing: "r.io/one:2"), 109))
        #expect(!has(image, one, 110) && !has(image, other, 101))
        let registry = try cache(#""cacheKeyType": "Registry", "cacheDuration": "20s""#)
        #expect(has(registry, other, 119) && !has(registry, foreign, 101) && !has(registry, other, 120))
        let global = try cache(#""cacheKeyType": "Global""#)
        #expect(has(global, foreign, 101))
        let never = try cache(#""cacheKeyType": "Global", "cacheDuration": "0s""#)
        #expect(!has(never, one, 100))
    }
}
