import KubernetesAPI
import Testing

@testable import ContainerImages

/// Keys and signatures made with openssl: `genpkey`, `pkey -pubout`, `dgst -sha256 -sign`, `pkeyutl -sign -rawin`.
@Suite("Keys that vouch for images")
struct SignatureKeyTests {
    static let ecdsa = """
        -----BEGIN PUBLIC KEY-----
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE657PxMc/9XyWgmkbDvzIZPiWOiy4
        CQgA2aDaZRENZmPhAwbShrcPYg5baDPgeKeU6Lm6uZ2CLOTqbCQaTK5FQQ==
        -----END PUBLIC KEY-----
        """
    static let ed25519 = """
        -----BEGIN PUBLIC KEY-----
        MCowBQYDK2VwAyEA0Gn4523oApRV8wtIu/QQbN5AUKeO99aCk0VUu4Qo8v0=
        -----END PUBLIC KEY-----
        """
    static let rsa = """
        -----BEGIN PUBLIC KEY-----
        MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA0M/5EOXlgQx89SoozjLz
        BoXtGrlXP6uM4JDzS1XE66XIoQ4NT+Xp0+MCFsarlu70HML+C3ToTWqnQPOcXPC9
        kGG24f3QTHdexHrcgv5Rc0bp0cbdBVXKIkPU5WeOxHWN0U1oW7CUuS9ox+qJm/d/
        SDIeAmxDzZYYWBw0P3ooujyScdMu38To+oghf9+ZD2NflI+BHVYDqwXLW5921hh6
        XGX4nbAueu8IzW+n+VGAPjE+0Bn3JPi425prKA+gQHSmA9uuXdNg1phqEvknOQYa
        DOY5GZ4x4OapITTgHZbfhTL7fhc5Ipjr3Bb70tq4O8SnntlzO8BTJq1vcGpjGnHo
        RwIDAQAB
        -----END PUBLIC KEY-----
        """
    static let shortRSA = """
        -----BEGIN PUBLIC KEY-----
        MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC6PL3Gy2yRHixjzXEhR74VFskf
        zlzuAzO3nG9BICSyjdhVRGQas+FxNqYQw/YLvygVCbVXTPgL2/Jfdc7fIxjMpCEs
        srfyVchFN09noJi0DurCWSnlutWUITmp1JO7897nG/ymbyn0JcYe4G3FO4QZ5xZK
        U5L0tcJaR8UzarAfTQIDAQAB
        -----END PUBLIC KEY-----
        """
    static let otherCurve = """
        -----BEGIN PUBLIC KEY-----
        MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEARhRSAG0FUdCuMUzzLiOi3kpVcAgANp1
        TTZFULl2fbSA739tPFpdOQ5w4bshbT3wc3lI8pCnsvcio11EqCUus1KrvHHHN+V8
        gx0TBzEbeez7ObACsnTPmZkr3aFhV6+F
        -----END PUBLIC KEY-----
        """
    private static let ecdsaSignature = """
        MEUCIESL5vGJ+p5VNSmDICHiitvAPOpHRtR4xztiN5e1662hAiEAnukNSeD8See9mRPHzElRBeYfmqj13FxAhgB0DbeSgI8=
        """
    private static let ed25519Signature = """
        O3WyjBPy91m1cmiad2fjWVryzV4p7yXKdWLa2fuklHym47X1jP/ydCxkb4g5gA2iQVsUO7gunPzHxu0hkK4vCA==
        """
    private static let rsaSignature = """
        Z8CxO30TpsMCdTpSKJKc16Otn38IUdYId2rrcQTE/Ai5TWJqp2rMCDYsBpCqmFcEDst1gcH3CV42BJRxm/nONMX5mYiPyQjZ
        ZEa+wocLvpydWLUn4AswU/KoOrTkwSlXJXUR0N+qwrzQPVvihSI/ReqWoBkQzQq20lteLgKJXbBBlU73kDLfo3RVfpTUzhCn
        B0HcDMDpRDJWvtwgWsv4M6lvpOIFxrwZIbnSI6vffwcmwVZ3/fcbsT1r8Gf4I9OFYFInVXLwBbI6UMbHcUuFpehDeEBB0Vxu
        kRnwaGP3YzBv9GVPaJU422SDXa438MkFKcFjSuFlynFlkO/r8fkKAg==
        """

    static let vectors = [
        (ecdsa, ecdsaSignature, "f0a2e25c764b2ec5189adccaba8abbaecf3309e2bf8baf88262afd762ab52b20"),
        (ed25519, ed25519Signature, "968acf4c14943250bf518fef6716087a9504e31c2db401d983d661864a7e2034"),
        (rsa, rsaSignature, "5933a09f3e70c83a540d20e4aedbab334b1b5a5d61d0e52c6adf0256060948f9"),
    ]

    @Test("verify their own signature over the bytes they signed, and nothing else", arguments: 0..<3)
    func verifies(index: Int) throws {
        let (pem, text, fingerprint) = Self.vectors[index]
        let key = try #require(SignatureKey(pem: pem))
        let signature = try #require(Base64.decode(text))
        #expect(key.fingerprint == fingerprint)
        #expect(key.verifies(signature, of: Array("payload".utf8)))
        #expect(!key.verifies(signature, of: Array("Payload".utf8)))
        #expect(!key.verifies([], of: Array("payload".utf8)))
        #expect(!key.verifies(Array(signature.dropLast()), of: Array("payload".utf8)))
        var flipped = signature
        flipped[signature.count / 2] ^= 1
        #expect(!key.verifies(flipped, of: Array("payload".utf8)))
        for (other, _, _) in Self.vectors where other != pem {
            #expect(try #require(SignatureKey(pem: other)).verifies(signature, of: Array("payload".utf8)) == false)
        }
    }

    @Test("may be indented and end with white space, as in YAML")
    func indented() {
        let text = Self.ecdsa.split(separator: "\n").map { "    \($0)  \r" }.joined(separator: "\n") + "\n\n"
        #expect(SignatureKey(pem: text) == SignatureKey(pem: Self.ecdsa))
    }

    @Test("of other kinds are none")
    func refused() {
        for text in [
            "", Self.shortRSA, Self.otherCurve, Self.ecdsa + "\n" + Self.ed25519,
            Self.ecdsa.replacing("PUBLIC", with: "PRIVATE"), Self.ecdsa.replacing("A", with: "B"),
            Self.ecdsa.split(separator: "\n").dropLast().joined(separator: "\n"), String(repeating: "x", count: 20_000),
        ] {
            #expect(SignatureKey(pem: text) == nil, "\(text.prefix(200))")
        }
    }
}
