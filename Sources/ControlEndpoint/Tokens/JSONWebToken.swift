internal import KubernetesAPI

/// The compact form of a signed token (RFC 7515): taken apart and put together, not yet believed.
struct JSONWebToken: Sendable {
    /// Longer texts are no tokens of ours.
    static let lengthLimit = 16 << 10

    var header: JSONValue
    var claims: JSONValue
    /// What the signature covers: header and claims as sent.
    var signedPart: [UInt8]
    var signature: [UInt8]

    /// Nil when the text is not of the form.
    init?(_ text: String) {
        guard text.utf8.count <= Self.lengthLimit else { return nil }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.object(parts[0]), let claims = Self.object(parts[1]),
            let signature = Base64URL.decode(parts[2])
        else { return nil }
        self.header = header
        self.claims = claims
        self.signature = signature
        signedPart = Array(parts[0].utf8) + [UInt8(ascii: ".")] + Array(parts[1].utf8)
    }

    private static func object(_ part: Substring) -> JSONValue? {
        guard let bytes = Base64URL.decode(part), let value = try? JSONValue(parsing: bytes),
            value.objectValue != nil
        else { return nil }
        return value
    }

    /// - Parameter sign: makes the signature of the bytes it is given.
    static func text(
        header: JSONValue, claims: JSONValue, sign: ([UInt8]) throws -> [UInt8]
    ) rethrows -> String {
        let start =
            Base64URL.encode(header.serialized(sortedKeys: true)) + "."
            + Base64URL.encode(claims.serialized(sortedKeys: true))
        return start + "." + Base64URL.encode(try sign(Array(start.utf8)))
    }
}

/// Base64 with the URL-safe alphabet and without padding (RFC 4648, section 5).
enum Base64URL {
    static func encode(_ bytes: some Collection<UInt8>) -> String {
        var text = Base64.encode(bytes).replacing("+", with: "-").replacing("/", with: "_")
        while text.hasSuffix("=") { text.removeLast() }
        return text
    }

    /// Nil for anything else, the other alphabet and line breaks included: one token has one text.
    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        guard isPlain else { return nil }
        var padded = String(text).replacing("-", with: "+").replacing("_", with: "/")
        while padded.utf8.count % 4 != 0 { padded += "=" }
        guard let bytes = Base64.decode(padded), encode(bytes) == text else { return nil }
        return bytes
    }
}
