import ContainerImages
import Testing

@testable import NodeAgent

/// The field `images` of a policy file.
@Suite("What a policy file asks images for")
struct ImageProofPolicyTests {
    private static let file = "/etc/swiftlet/policy.yaml"
    private static let digest = "sha256:" + String(repeating: "0a", count: 32)
    private static let ecdsa = """
        -----BEGIN PUBLIC KEY-----
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE657PxMc/9XyWgmkbDvzIZPiWOiy4
        CQgA2aDaZRENZmPhAwbShrcPYg5baDPgeKeU6Lm6uZ2CLOTqbCQaTK5FQQ==
        -----END PUBLIC KEY-----
        """
    private static let ed25519 = """
        -----BEGIN PUBLIC KEY-----
        MCowBQYDK2VwAyEA0Gn4523oApRV8wtIu/QQbN5AUKeO99aCk0VUu4Qo8v0=
        -----END PUBLIC KEY-----
        """

    private static func block(_ key: String) -> String {
        "  - |\n" + key.split(separator: "\n").map { "    \($0)\n" }.joined()
    }

    @Test("each rule has its pattern, digests and keys, in the order of the file, beside the rules for pods")
    func read() throws {
        let text = """
            rules:
            - trusted: true
            images:
            - pattern: registry.example.com/team/*
              keys:
            \(Self.block(Self.ecdsa))\(Self.block(Self.ed25519))- pattern: "*"
              digests: ["\(Self.digest)", "\(Self.digest)"]
            """
        let policy = try NodePolicy(parsing: text, file: Self.file)
        #expect(policy.rules.count == 1)
        let keys = try [Self.ecdsa, Self.ed25519].map { try #require(SignatureKey(pem: $0)) }
        let digest = try #require(ContentDigest(Self.digest))
        #expect(
            policy.images
                == ImageTrustPolicy(rules: [
                    ImageTrustPolicy.Rule(pattern: "registry.example.com/team/*", keys: Set(keys)),
                    ImageTrustPolicy.Rule(pattern: "*", digests: [digest]),
                ]))
    }

    @Test("without the field no image needs to prove anything", arguments: ["", "rules: []", "images: []", "{}"])
    func none(_ text: String) throws {
        #expect(try NodePolicy(parsing: text, file: Self.file).images == ImageTrustPolicy())
    }

    static let mistakes: [(String, String)] = [
        ("images: {}", "images: "),
        ("images: any", "images: "),
        ("images:", "images: has no value"),
        ("images:\n-", "images[0]: has no value"),
        ("images:\n- docker.io/library/*", "images[0]"),
        ("image: []", "image: unknown field"),
        ("images:\n- {patern: \"*\", digests: [\"\(digest)\"]}", "images[0].patern: unknown field"),
        ("images:\n- {pattern: \"*\", digest: \"\(digest)\"}", "images[0].digest: unknown field"),
        // A rule that nothing can satisfy, or that means nothing, is a mistake.
        ("images:\n- {pattern: \"*\"}", "images[0]: has neither digests nor keys"),
        ("images:\n- {pattern: \"*\", digests: [], keys: []}", "images[0]: has neither digests nor keys"),
        ("images:\n- {digests: [\"\(digest)\"]}", "images[0].pattern: \"\" must be registry and repository"),
        ("images:\n- {pattern: nginx, digests: [\"\(digest)\"]}", "images[0].pattern: \"nginx\" must be"),
        ("images:\n- {pattern: \"r.io/a b\", digests: [\"\(digest)\"]}", "images[0].pattern: "),
        ("images:\n- {pattern: \"r.io/ä\", digests: [\"\(digest)\"]}", "images[0].pattern: "),
        ("images:\n- {pattern: \"r.io/a@\(digest)\", digests: [\"\(digest)\"]}", "images[0].pattern: "),
        ("images:\n- {pattern: 7, digests: [\"\(digest)\"]}", "images[0].pattern"),
        ("images:\n- {pattern: \"*\", digests: \"\(digest)\"}", "images[0].digests"),
        ("images:\n- {pattern: \"*\", digests: [\"0a0a\"]}", "images[0].digests[0]: \"0a0a\" is no digest"),
        (
            "images:\n- {pattern: \"*\", digests: [\"\(digest)\", \"\(digest.uppercased())\"]}",
            "images[0].digests[1]: "
        ),
        (
            "images:\n- {pattern: \"*\", digests: [\"sha512:\(String(repeating: "0a", count: 64))\"]}",
            "images[0].digests[0]: "
        ),
        ("images:\n- {pattern: \"*\", keys: [\"\"]}", "images[0].keys[0]: is no public key"),
        ("images:\n- {pattern: \"*\", keys: [/etc/key.pub]}", "images[0].keys[0]: is no public key"),
        (
            "images:\n- pattern: \"*\"\n  keys:\n" + block(ecdsa.replacing("PUBLIC", with: "PRIVATE")),
            "images[0].keys[0]: is no public key"
        ),
        ("images:\n- {pattern: \"*\", pattern: \"r.io/*\", digests: [\"\(digest)\"]}", "duplicate key"),
        (
            "images:\n" + String(repeating: "- {pattern: \"*\", digests: [\"\(digest)\"]}\n", count: 1001),
            "images: 1001 rules are more than the limit of 1000"
        ),
    ]

    @Test("what is not understood to the letter is refused with its place", arguments: mistakes.indices)
    func refused(_ index: Int) {
        let (text, expected) = Self.mistakes[index]
        let error = #expect(throws: NodePolicyError.self) { try NodePolicy(parsing: text, file: Self.file) }
        let problems = error?.problems ?? []
        #expect(problems.contains { $0.contains(expected) }, "\(text.prefix(200)): \(problems)")
        #expect(problems.allSatisfy { !$0.contains("\n") && $0.hasPrefix(Self.file) }, "\(problems)")
    }

    @Test("a mistake is told without the key that may stand there")
    func secret() {
        let text = "images:\n- {pattern: \"*\", keys: [\"-----BEGIN PRIVATE KEY----- c2VjcmV0\"]}"
        let error = #expect(throws: NodePolicyError.self) { try NodePolicy(parsing: text, file: Self.file) }
        #expect(error?.problems.contains { $0.contains("c2VjcmV0") } == false)
    }
}
