import Testing

@testable import ContainerImages

@Suite("RegistryURL, redirects and realms")
struct RegistryURLTests {
    @Test("an address is taken apart")
    func parts() {
        let url = RegistryURL("HTTPS://Example.org:5000/v2/a?b=c")
        #expect(url == RegistryURL(scheme: .https, host: "example.org", port: 5000, target: "/v2/a?b=c"))
        #expect(RegistryURL("http://[::1]/x")?.host == "[::1]")
        #expect(RegistryURL("https://example.org")?.port == 443)
        #expect(RegistryURL("https://example.org:443/")?.description == "https://example.org/")
    }

    @Test(
        "what could be read in two ways is no address",
        arguments: [
            "https://user@host/", "https://a\\b/", "https://host:0/", "https://host:99999/", "https://a%2eb/",
            "ftp://a/",
            "https:///x", "https://::1/", "https://host/#f", "https://ho st/", "//host/", "",
        ])
    func refused(_ text: String) {
        #expect(RegistryURL(text) == nil)
    }

    private func decide(_ from: String, _ location: String?, plain: Set<String> = [], followed: Int = 0) throws
        -> RedirectDecision
    {
        RedirectDecision.decide(
            from: try #require(RegistryURL(from)), location: location, followed: followed,
            mayBePlain: { plain.contains($0.authority) })
    }

    @Test("authorization goes along to the very same origin only")
    func authorization() throws {
        func keeps(_ location: String) throws -> Bool? {
            guard case .follow(_, let keeps) = try decide("https://a.example/v2/x", location) else { return nil }
            return keeps
        }
        #expect(try keeps("/other") == true)
        #expect(try keeps("https://a.example:443/other") == true)
        #expect(try keeps("https://a.example:8443/other") == false)
        #expect(try keeps("https://b.example/other") == false)
        #expect(try keeps("//b.example/other") == false)
    }

    @Test("a redirect without TLS is followed only to what is configured so, and not for ever")
    func downgrade() throws {
        func isRefused(_ decision: RedirectDecision) -> Bool { if case .refuse = decision { true } else { false } }
        #expect(isRefused(try decide("https://a/", "http://a/")))
        #expect(isRefused(try decide("http://a/", "http://169.254.169.254/", plain: ["a"])))
        #expect(!isRefused(try decide("http://a/", "http://b/", plain: ["a", "b"])))
        #expect(isRefused(try decide("https://a/", nil)))
        #expect(isRefused(try decide("https://a/", "file:///etc/passwd")))
        #expect(isRefused(try decide("https://a/", "/x", followed: RedirectDecision.limit)))
    }

    @Test(
        "a password is shown to a token server of the same host or domain, over TLS, or one that is configured",
        arguments: [
            ("https://registry-1.docker.io", "https://auth.docker.io/token", true),
            ("https://registry.gitlab.com", "https://gitlab.com/jwt/auth", true),
            ("https://quay.io", "https://quay.io/v2/auth", true),
            ("https://quay.io", "https://evil.io/v2/auth", false),
            ("https://quay.io", "http://quay.io/v2/auth", false),
            ("https://a.example.org", "https://evil.org/", false),
            ("https://10.0.0.1:5000", "https://11.0.0.1/", false),
            ("http://10.0.0.1:5000", "http://10.0.0.1:5000/t", true),
            ("http://10.0.0.1:5000", "http://10.0.0.1:5001/t", false),
            ("https://a.example.org", "https://login.corp/", true),
        ])
    func realms(_ registry: String, _ realm: String, _ expected: Bool) throws {
        #expect(
            TokenRealm.maySeeCredentials(
                try #require(RegistryURL(realm)), of: try #require(RegistryURL(registry)), trusted: ["login.corp"])
                == expected)
    }

    @Test("what a token is asked for is encoded, beside what the realm's own query has")
    func tokenRequest() throws {
        let realm = try #require(RegistryURL("https://a/token?x=1"))
        let url = TokenRealm.request(realm, service: "a b&c", scope: "repository:r/s:pull")
        #expect(url.description == "https://a/token?x=1&service=a%20b%26c&scope=repository:r/s:pull")
    }
}
