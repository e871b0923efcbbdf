import Testing

@testable import ContainerImages

@Suite("ImageReference")
struct ImageReferenceTests {
    static let digest = "sha256:" + String(repeating: "ab", count: 32)

    @Test(
        "names are normalised as every container tool does it",
        arguments: [
            ("busybox", "docker.io/library/busybox:latest"),
            ("busybox:1.36", "docker.io/library/busybox:1.36"),
            ("team/app", "docker.io/team/app:latest"),
            ("index.docker.io/library/x:1", "docker.io/library/x:1"),
            ("localhost/app", "localhost/app:latest"),
            ("localhost:5000/app:v1", "localhost:5000/app:v1"),
            ("registry.example.com/a/b__c/d-e.f:T_1", "registry.example.com/a/b__c/d-e.f:T_1"),
            ("[::1]:5000/x", "[::1]:5000/x:latest"),
            ("quay.io/x@\(digest)", "quay.io/x@\(digest)"),
            ("quay.io/x:1@\(digest)", "quay.io/x:1@\(digest)"),
        ])
    func normalises(_ text: String, _ expected: String) throws {
        #expect(try ImageReference(parsing: text).description == expected)
        #expect(try ImageReference(parsing: expected).description == expected)
    }

    @Test(
        "what breaks the grammar is refused with its name in the message",
        arguments: [
            "", "/", ":", "@", "a:", "a@", "UPPER", "a//b", "a/../b", "../a", "a b", "a\n", "-a", "a-", "a..b", "a___b",
            "a._b",
            "a:-x", "a:" + String(repeating: "t", count: 129), "localhost:0/x", "localhost:99999/x", "localhost:5000/",
            "host.io:x/y",
            "a@sha256:../../x", "a@sha256:abc", "a@sha512:" + String(repeating: "a", count: 128),
            "a@sha256:" + String(repeating: "AB", count: 32), String(repeating: "ab", count: 32), "é", "a/é",
            "host:///", "host:////",
            String(repeating: "a/", count: 200) + "b", String(repeating: "x", count: 2000),
        ])
    func refuses(_ text: String) {
        let error = #expect(throws: ImageError.self) { try ImageReference(parsing: text) }
        #expect(error?.code == .invalidReference)
        #expect(error?.message.contains("\n") == false)
    }

    @Test("only the exact host reference means the host's root")
    func recognisesHostRootfs() {
        #expect(ImageReference.isHostRootfs("host:///"))
        #expect(!ImageReference.isHostRootfs("host:///etc"))
        #expect(!ImageReference.isHostRootfs("host"))
    }
}
