import Testing

@testable import KubernetesClient

@Suite("Server address")
struct ServerAddressTests {
    @Test(
        "addresses are taken apart and put together again",
        arguments: zip(
            ["https://a:6443", "https://a", "http://a/", "https://[::1]:8443/k8s/", "https://10.0.0.1:6443/c/x"],
            ["https://a:6443", "https://a:443", "http://a:80", "https://[::1]:8443/k8s", "https://10.0.0.1:6443/c/x"]))
    func parses(text: String, expected: String) throws {
        #expect(try ServerAddress(parsing: text).description == expected)
    }

    @Test(
        "what is no address is refused",
        arguments: [
            "", "a:6443", "ftp://a", "https://", "https://:6443", "https://a:0", "https://a:65536", "https://a:x",
            "https://::1:6443", "https://[::1", "https://[::1]x", "https://u:p@a", "https://a/?q", "https://a#f",
            "https://a b", "https://ä",
        ])
    func refuses(text: String) {
        #expect(throws: ServerAddress.Malformed.self) { try ServerAddress(parsing: text) }
    }
}
