/// What a registry wants to see before it answers: one challenge of a `WWW-Authenticate` header (RFC 9110, 11.6.1).
struct AuthenticationChallenge: Hashable, Sendable {
    /// Lower case: `basic`, `bearer`.
    var scheme: String
    /// Names in lower case.
    var parameters: [String: String]

    /// What a hostile answer may make us keep.
    private static let limitBytes = 8 << 10
    private static let itemLimit = 32

    /// All challenges of all header lines, in order. What does not follow the grammar ends the line it is in.
    static func parse(_ lines: [String]) -> [AuthenticationChallenge] {
        var challenges: [AuthenticationChallenge] = []
        for line in lines where line.utf8.count <= limitBytes {
            var scanner = Scanner(bytes: Array(line.utf8))
            scanner.read(into: &challenges, limit: itemLimit)
        }
        return challenges
    }

    /// The one to answer: a token where it is offered, as it does not show the password to every host that serves blobs.
    static func preferred(_ challenges: [AuthenticationChallenge]) -> AuthenticationChallenge? {
        challenges.first { $0.scheme == "bearer" && $0.parameters["realm"] != nil }
            ?? challenges.first { $0.scheme == "basic" }
    }

    /// Reads a header line byte by byte.
    private struct Scanner {
        let bytes: [UInt8]
        var position = 0

        mutating func read(into challenges: inout [AuthenticationChallenge], limit: Int) {
            while challenges.count < limit {
                skip(UInt8(ascii: " "), UInt8(ascii: ","), UInt8(ascii: "\t"))
                guard let scheme = token() else { return }
                var challenge = AuthenticationChallenge(scheme: scheme.lowercased(), parameters: [:])
                while challenge.parameters.count < limit, let (name, value) = parameter() {
                    // The first wins: a second realm is an attempt to be read differently by somebody else.
                    if challenge.parameters[name] == nil { challenge.parameters[name] = value }
                }
                challenges.append(challenge)
            }
        }

        private mutating func parameter() -> (String, String)? {
            let start = position
            skip(UInt8(ascii: " "), UInt8(ascii: ","), UInt8(ascii: "\t"))
            guard let name = token() else { return nil }
            skip(UInt8(ascii: " "))
            guard peek == UInt8(ascii: "=") else {
                // No parameter: the name of the next scheme.
                position = start
                return nil
            }
            position += 1
            skip(UInt8(ascii: " "))
            guard let value = peek == UInt8(ascii: "\"") ? quoted() : token() else { return nil }
            return (name.lowercased(), value)
        }

        private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

        private mutating func skip(_ skipped: UInt8...) {
            while let byte = peek, skipped.contains(byte) { position += 1 }
        }

        private mutating func token() -> String? {
            let start = position
            while let byte = peek, Self.isTokenByte(byte) { position += 1 }
            return start == position ? nil : String(decoding: bytes[start..<position], as: UTF8.self)
        }

        private mutating func quoted() -> String? {
            position += 1
            var text: [UInt8] = []
            while let byte = peek {
                position += 1
                if byte == UInt8(ascii: "\"") { return String(decoding: text, as: UTF8.self) }
                if byte == UInt8(ascii: "\\"), let escaped = peek {
                    position += 1
                    text.append(escaped)
                } else {
                    text.append(byte)
                }
            }
            return nil
        }

        /// tchar of RFC 9110, and what unquoted realms and tokens have besides.
        private static func isTokenByte(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "!#$%&'*+-.^_`|~:/".utf8.contains(byte)
            }
        }
    }
}
