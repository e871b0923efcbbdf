import Testing

@testable import ContainerImages

@Suite("AuthenticationChallenge")
struct AuthenticationChallengeTests {
    @Test("a bearer challenge is read with its quoted parameters")
    func bearer() {
        let line =
            #"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull""#
        let challenges = AuthenticationChallenge.parse([line])
        #expect(challenges.count == 1)
        #expect(challenges[0].scheme == "bearer")
        #expect(
            challenges[0].parameters == [
                "realm": "https://auth.docker.io/token", "service": "registry.docker.io",
                "scope": "repository:a/b:pull",
            ])
    }

    @Test("several challenges may share a line, and commas and escapes stand within quotes")
    func several() {
        let challenges = AuthenticationChallenge.parse([
            #"Basic realm="a, \"b\"", BEARER Realm=https://x/t , service=s"#, "Negotiate",
        ])
        #expect(challenges.map(\.scheme) == ["basic", "bearer", "negotiate"])
        #expect(challenges[0].parameters == ["realm": #"a, "b""#])
        #expect(challenges[1].parameters == ["realm": "https://x/t", "service": "s"])
        #expect(AuthenticationChallenge.preferred(challenges)?.scheme == "bearer")
    }

    @Test("the first of two realms counts")
    func twoRealms() {
        let challenges = AuthenticationChallenge.parse([#"Bearer realm="https://good/",realm="https://evil/""#])
        #expect(challenges.first?.parameters["realm"] == "https://good/")
    }

    @Test(
        "what is no challenge is none, and costs little",
        arguments: ["", ",,,", "\"", "Bearer realm=\"open", String(repeating: "a,", count: 100_000)])
    func broken(_ line: String) {
        #expect(AuthenticationChallenge.parse([line]).allSatisfy { $0.parameters["realm"] == nil })
    }
}
