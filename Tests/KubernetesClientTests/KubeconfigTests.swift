import TestSupport
import Testing

@testable import KubernetesClient

@Suite("Kubeconfig")
struct KubeconfigTests {
    private func kubeconfig(cluster: String = "server: https://h:6443", user: String = "token: t") -> String {
        """
        apiVersion: v1
        kind: Config
        current-context: main
        contexts:
        - name: other
          context: {cluster: nowhere, user: me}
        - name: main
          context:
            cluster: here
            user: me
            namespace: team
        clusters:
        - name: here
          cluster:
            \(cluster)
        users:
        - name: me
          user:
            \(user)
        """
    }

    private func base64(_ text: String) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var bits = ""
        for byte in text.utf8 {
            let digits = String(byte, radix: 2)
            bits += String(repeating: "0", count: 8 - digits.count) + digits
        }
        while bits.count % 6 != 0 { bits += "0" }
        var result = ""
        var rest = Substring(bits)
        while !rest.isEmpty {
            result.append(alphabet[Int(rest.prefix(6), radix: 2) ?? 0])
            rest = rest.dropFirst(6)
        }
        while result.count % 4 != 0 { result += "=" }
        return result
    }

    @Test("the current context gives server, authority, certificate, key and namespace")
    func complete() throws {
        let text = kubeconfig(
            cluster: """
                server: https://h:6443/prefix
                    certificate-authority-data: \(base64(TestCertificates.authority))
                    tls-server-name: api.test.invalid
                """,
            user: """
                client-certificate-data: \(base64(TestCertificates.client))
                    client-key-data: \(base64(TestCertificates.clientKey))
                """)
        let kubeconfig = try Kubeconfig(text: text, file: "/etc/k/config")
        let configuration = try kubeconfig.configuration()
        #expect(configuration.server.description == "https://h:6443/prefix")
        #expect(configuration.certificateAuthorityPEM == Array(TestCertificates.authority.utf8))
        #expect(configuration.clientCertificatePEM == Array(TestCertificates.client.utf8))
        #expect(configuration.clientKeyPEM == Array(TestCertificates.clientKey.utf8))
        #expect(configuration.tlsServerName == "api.test.invalid")
        #expect(!configuration.insecureSkipTLSVerify)
        #expect(try kubeconfig.namespace() == "team")
        #expect(kubeconfig.contextNames == ["other", "main"])
    }

    @Test("a token is taken as it is, a token file by its name relative to the kubeconfig, and wins")
    func tokens() throws {
        let fixed = try Kubeconfig(text: kubeconfig(), file: "f").configuration()
        #expect(fixed.bearerToken == .fixed("t"))
        let file = try Kubeconfig(
            text: kubeconfig(user: "{token: t, tokenFile: sub/token}"), file: "/etc/k/config"
        ).configuration()
        #expect(file.bearerToken == .file("/etc/k/sub/token"))
        #expect(!"\(file)".contains("{token"))
    }

    @Test(
        "what cannot be used is refused with file and field",
        arguments: [
            ("server: ftp://h", "token: t", "clusters[0].cluster.server: "),
            ("insecure-skip-tls-verify: true", "token: t", "clusters[0].cluster.server: missing"),
            (
                "{server: 'https://h', proxy-url: 'http://p'}", "token: t",
                "clusters[0].cluster.proxy-url: not supported"
            ),
            (
                "{server: 'https://h', certificate-authority-data: '***'}", "token: t",
                "clusters[0].cluster.certificate-authority-data: not base64"
            ),
            (
                "{server: 'https://h', certificate-authority-data: 'YWJj'}", "token: t",
                "clusters[0].cluster.certificate-authority-data: holds no PEM block"
            ),
            (
                "{server: 'https://h', certificate-authority: missing.pem}", "token: t",
                "clusters[0].cluster.certificate-authority: cannot read /no/such/missing.pem: No such file"
            ),
            (
                "{server: 'https://h', insecure-skip-tls-verify: 'yes'}", "token: t",
                "clusters[0].cluster.insecure-skip-tls-verify: must be true or false"
            ),
            ("server: https://h", "exec: {command: aws}", "users[0].user.exec: not supported"),
            ("server: https://h", "auth-provider: {name: gcp}", "users[0].user.auth-provider: not supported"),
            ("server: https://h", "{username: u, password: p}", "users[0].user.username: not supported"),
            ("server: https://h", "client-key-data: LS0tLS1CRUdJTiA=", "users[0].user.client-certificate: missing"),
            ("server: https://h", "client-certificate-data: LS0tLS1CRUdJTiA=", "users[0].user.client-key: missing"),
            ("server: https://h", "token: 'a b'", "users[0].user.token: holds a blank"),
            ("server: https://h", "token: 17", "users[0].user.token: must be a string"),
        ])
    func refused(cluster: String, user: String, message: String) throws {
        let error = try #require(throws: KubeconfigError.self) {
            try Kubeconfig(text: kubeconfig(cluster: cluster, user: user), file: "/no/such/config").configuration()
        }
        #expect(error.description.hasPrefix("kubeconfig /no/such/config: \(message)"))
    }

    @Test("a context that is missing or points nowhere is named with what there is")
    func contexts() throws {
        let kubeconfig = try Kubeconfig(text: kubeconfig(), file: "f")
        let missing = try #require(throws: KubeconfigError.self) { try kubeconfig.configuration(context: "x") }
        #expect(missing.description == #"kubeconfig f: contexts: no entry is named "x" (there are: other, main)"#)
        let nowhere = try #require(throws: KubeconfigError.self) { try kubeconfig.configuration(context: "other") }
        #expect(nowhere.field == "clusters")
    }

    @Test("what is no kubeconfig at all is refused", arguments: ["", "[1]", "a: [", "kind: Pod", "a: 1\n---\nb: 2"])
    func notOne(text: String) {
        #expect(throws: KubeconfigError.self) {
            try Kubeconfig(text: text, file: "f").configuration()
        }
    }

    @Test(
        "a file that is not there, is a directory or never ends is an error",
        arguments: ["/no/such/file", "/", "/dev/zero"])
    func unreadable(file: String) throws {
        let error = try #require(throws: KubeconfigError.self) { try Kubeconfig(contentsOf: file) }
        #expect(error.file == file)
        #expect(error.description.contains("cannot read \(file)"))
    }
}
