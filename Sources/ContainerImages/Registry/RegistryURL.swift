/// An absolute `http` or `https` address, taken apart as far as a registry client has to judge it.
struct RegistryURL: Hashable, Sendable, CustomStringConvertible {
    enum Scheme: String, Sendable { case http, https }

    var scheme: Scheme
    /// Lower case; an IPv6 address in its brackets.
    var host: String
    var port: Int
    /// Path and query: empty, or starting with `/` or `?`.
    var target: String

    private static let limitBytes = 16 << 10

    /// `nil` for anything but a well-formed absolute address without user, password and fragment.
    init?(_ text: String) {
        guard text.utf8.count <= Self.limitBytes, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        let rest: Substring
        let start = text.prefix(8).lowercased()
        if start.hasPrefix("https://") {
            (scheme, rest) = (.https, text.dropFirst(8))
        } else if start.hasPrefix("http://") {
            (scheme, rest) = (.http, text.dropFirst(7))
        } else {
            return nil
        }
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let target = rest.dropFirst(authority.count)
        guard !target.contains("#"), let (host, port) = Self.split(authority) else { return nil }
        self.host = host
        self.port = port ?? (scheme == .https ? 443 : 80)
        self.target = String(target)
    }

    init(scheme: Scheme, host: String, port: Int, target: String) {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.target = target
    }

    /// `host`, `host:port`, `[address]:port`; `nil` when it is none of them.
    static func split(_ authority: some StringProtocol) -> (host: String, port: Int?)? {
        guard !authority.contains("@"), !authority.contains("\\"), !authority.contains("%") else { return nil }
        var host = authority[...]
        var port: Int?
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            let digits = authority[authority.index(after: colon)...]
            guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits),
                (1...65535).contains(number)
            else { return nil }
            port = number
            host = authority[..<colon]
        }
        guard !host.isEmpty, host.hasPrefix("[") ? host.hasSuffix("]") : !host.contains(":") else { return nil }
        return (host.lowercased(), port)
    }

    var isDefaultPort: Bool { port == (scheme == .https ? 443 : 80) }

    /// `host`, with the port where it is not the scheme's own.
    var authority: String { isDefaultPort ? host : "\(host):\(port)" }

    /// The same host and port by the same scheme: who may see what was meant for the other.
    func isSameOrigin(as other: RegistryURL) -> Bool {
        scheme == other.scheme && host == other.host && port == other.port
    }

    /// Where a `Location` header points to, seen from here; `nil` when it is no address.
    func following(_ location: String) -> RegistryURL? {
        if location.hasPrefix("//") { return RegistryURL("\(scheme.rawValue):\(location)") }
        guard location.hasPrefix("/") else { return RegistryURL(location) }
        return RegistryURL("\(scheme.rawValue)://\(host):\(port)\(location)")
    }

    /// Without the query, which may hold a signature.
    var withoutQuery: String { "\(scheme.rawValue)://\(authority)\(target.prefix { $0 != "?" })" }

    var description: String { "\(scheme.rawValue)://\(authority)\(target)" }
}
