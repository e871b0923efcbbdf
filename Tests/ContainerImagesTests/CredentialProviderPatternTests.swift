import Testing

@testable import ContainerImages

/// Examples of the Kubernetes documentation ("Configure a kubelet image credential provider") and of URLsMatch's own table.
@Suite("Which images a credential provider is asked for")
struct CredentialProviderPatternTests {
    @Test(
        "a pattern fits an image by host, port and the beginning of its path",
        arguments: [
            ("123456789.dkr.ecr.us-east-1.amazonaws.com", "123456789.dkr.ecr.us-east-1.amazonaws.com/app"),
            ("*.dkr.ecr.*.amazonaws.com", "123456789.dkr.ecr.us-east-1.amazonaws.com/app"),
            ("*.azurecr.io", "mine.azurecr.io/team/app"),
            ("gcr.io", "gcr.io/etcd-development/etcd"),
            ("*.*.registry.io", "a.b.registry.io/app"),
            ("registry.io:8080/path", "registry.io:8080/path/app"),
            ("registry.io/te", "registry.io/team/app"),
            ("reg*.io", "registry.io/app"),
            ("Registry.IO", "registry.io/app"),
            ("*.kubernetes.io:1111", "prefix.kubernetes.io:1111/app"),
            ("localhost:5000", "localhost:5000/app"),
            ("[::1]:5000", "[::1]:5000/app"),
        ])
    func fits(pattern: String, image: String) throws {
        #expect(try #require(CredentialProviderPattern(pattern)).fits(image))
    }

    @Test(
        "and no other",
        arguments: [
            ("*.io", "a.b.io/app"),
            ("*.dkr.ecr.*.amazonaws.com", "123456789.dkr.ecr.amazonaws.com/app"),
            ("registry.io", "registry.io:8080/app"),
            ("registry.io:8080", "registry.io/app"),
            ("registry.io:8080", "registry.io:8081/app"),
            ("registry.io/team", "registry.io/other/team"),
            ("registry.io/team/app/more", "registry.io/team/app"),
            ("*.kubernetes.io", "kubernetes.io/app"),
            ("*", "registry.io/app"),
            ("registry.io", "registry.io.example.org/app"),
        ])
    func fitsNot(pattern: String, image: String) throws {
        #expect(try #require(CredentialProviderPattern(pattern)).fits(image) == false)
    }

    @Test(
        "what could fit no image is no pattern",
        arguments: [
            "", "/path", "https://registry.io", "registry.io?x", "user@registry.io", "registry io", "registry.io:0",
            "registry.io:99999", "a..b", String(repeating: "a", count: 1025),
        ])
    func refused(text: String) { #expect(CredentialProviderPattern(text) == nil) }
}
