import Testing

@testable import ContainerImages

@Suite("RegistryConfiguration")
struct RegistryConfigurationTests {
    private func endpoints(_ text: String, _ image: String) throws -> [String] {
        let configuration = try RegistryConfiguration(parsing: text, file: "r.yaml")
        return configuration.endpoints(for: try ImageReference(parsing: image)).map {
            "\($0.url)/\($0.repository)\($0.caFile.map { " " + $0 } ?? "")"
        }
    }

    @Test("without a file a registry is asked at its own name, over TLS")
    func standard() throws {
        #expect(try endpoints("", "busybox") == ["https://registry-1.docker.io/library/busybox"])
        #expect(try endpoints("", "localhost:5000/a") == ["https://localhost:5000/a"])
    }

    @Test("mirrors come first, with their prefixes; the registry itself last, unless it is never to be asked")
    func mirrors() throws {
        let text = """
            registries:
            - host: docker.io
              mirrors:
              - url: https://mirror.example.org/hub/
                caFile: /ca.pem
              - url: http://10.0.0.1:5000
            - host: private.example.org:5000
              plainHTTP: true
            - host: "*"
              mirrors:
              - url: https://all.example.org
              mirrorsOnly: true
            """
        #expect(
            try endpoints(text, "busybox") == [
                "https://mirror.example.org/hub/library/busybox /ca.pem", "http://10.0.0.1:5000/library/busybox",
                "https://registry-1.docker.io/library/busybox",
            ])
        #expect(try endpoints(text, "private.example.org:5000/a") == ["http://private.example.org:5000/a"])
        #expect(try endpoints(text, "quay.io/a/b") == ["https://all.example.org/a/b"])
        let configuration = try RegistryConfiguration(parsing: text, file: "r.yaml")
        func plain(_ url: String) throws -> Bool { configuration.mayBePlain(try #require(RegistryURL(url))) }
        #expect(try plain("http://10.0.0.1:5000/x"))
        #expect(try plain("http://private.example.org:5000/x"))
        #expect(try !plain("http://private.example.org/x"))
        #expect(try !plain("http://mirror.example.org/x"))
    }

    @Test(
        "every mistake is told with its place",
        arguments: [
            ("registries:\n- host: a.b\n  plainHtpp: true\n", "r.yaml:3:", "unknown field"),
            ("registries:\n- plainHTTP: true\n", "r.yaml:2:", "is no registry"),
            ("registries:\n- host: https://a.b\n", "r.yaml:2:", "is no registry"),
            ("registries:\n- host: a.b\n- host: a.b\n", "r.yaml:3:", "is there already"),
            ("registries:\n- host: a.b\n  mirrors:\n  - url: mirror\n", "r.yaml:4:", "is not https://"),
            ("registries:\n- host: a.b\n  mirrors:\n  - url: https://m/V2\n", "r.yaml:4:", "no prefix of repositories"),
            ("registries:\n- host: a.b\n  caFile: ca.pem\n", "r.yaml:3:", "not an absolute path"),
            ("registries:\n- host: a.b\n  plainHTTP: true\n  caFile: /ca.pem\n", "r.yaml:4:", "no meaning"),
            ("registries:\n- host: a.b\n  mirrorsOnly: true\n", "r.yaml:3:", "without mirrors"),
            ("registries:\n- host: '*'\n  plainHTTP: true\n", "r.yaml:2:", "mirrors only"),
            ("registries: 5\n", "r.yaml:1:", "registries"),
            ("- host: a\n", "r.yaml:1:", "expected a mapping"),
        ])
    func mistakes(_ text: String, _ place: String, _ reason: String) {
        let error = #expect(throws: RegistryConfiguration.Invalid.self) {
            try RegistryConfiguration(parsing: text, file: "r.yaml")
        }
        #expect(error?.description.hasPrefix(place) == true)
        #expect(error?.description.contains(reason) == true)
    }
}
