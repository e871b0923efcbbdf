import Crypto

/// A `sha256:<64 lower-case hexadecimal digits>` digest. Nothing else is accepted, so that its text is safe in a path.
public struct ContentDigest: Hashable, Sendable, CustomStringConvertible {
    /// The 64 hexadecimal digits, without the algorithm.
    public let hexadecimal: String

    /// Parses `sha256:…`; `nil` for any other algorithm, length, case or character.
    public init?(_ text: String) {
        guard text.hasPrefix("sha256:") else { return nil }
        self.init(hexadecimal: text.dropFirst(7))
    }

    /// Parses the digits alone.
    public init?(hexadecimal text: some StringProtocol) {
        guard text.utf8.count == 64, text.utf8.allSatisfy(Self.isDigit) else { return nil }
        hexadecimal = String(text)
    }

    init(_ hash: SHA256.Digest) {
        hexadecimal = Self.encode(hash)
    }

    /// The digest of `bytes`.
    public init(of bytes: [UInt8]) {
        self.init(SHA256.hash(data: bytes))
    }

    public var description: String { "sha256:" + hexadecimal }

    static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }

    private static func encode(_ hash: SHA256.Digest) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(64)
        for byte in hash {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The chain identifiers of a stack of layers, bottom first (OCI image-spec, "Layer ChainID"): equal chains unpack
    /// to equal
    /// directories, so each is stored once.
    static func chain(of diffIDs: [ContentDigest]) -> [ContentDigest] {
        var chain: [ContentDigest] = []
        for diffID in diffIDs {
            guard let parent = chain.last else {
                chain.append(diffID)
                continue
            }
            chain.append(ContentDigest(of: Array("\(parent) \(diffID)".utf8)))
        }
        return chain
    }
}
