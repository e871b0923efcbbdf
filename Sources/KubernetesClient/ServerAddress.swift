/// The base URL of an API server: `https://host[:port][/prefix]`.
public struct ServerAddress: Sendable, Hashable, CustomStringConvertible {
    /// Why a text is not a server address.
    public struct Malformed: Error, Hashable, CustomStringConvertible {
        public var text: String
        public var reason: String
        public var description: String {
            "\"\(text)\" is not a server address: \(reason) (expected https://host[:port][/path])"
        }
    }

    public enum Scheme: String, Sendable, Hashable { case http, https }

    public var scheme: Scheme
    /// A name or an address; an IPv6 address without its brackets.
    public var host: String
    public var port: Int
    /// Empty, or starting with `/` and not ending with it.
    public var pathPrefix: String

    public init(parsing text: String) throws(Malformed) {
        let rest: Substring
        if text.hasPrefix("https://") {
            (scheme, rest) = (.https, text.dropFirst("https://".count))
        } else if text.hasPrefix("http://") {
            (scheme, rest) = (.http, text.dropFirst("http://".count))
        } else {
            throw Malformed(text: text, reason: "the scheme is neither https nor http")
        }
        guard rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw Malformed(text: text, reason: "it holds a character that is not printable ASCII")
        }
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let path = rest.dropFirst(authority.count)
        guard !path.contains("?"), !path.contains("#") else {
            throw Malformed(text: text, reason: "a query or fragment is not allowed")
        }
        guard !authority.contains("@") else {
            throw Malformed(text: text, reason: "user and password belong in the user entry")
        }
        let host: Substring
        let portText: Substring?
        if authority.hasPrefix("[") {
            guard let close = authority.firstIndex(of: "]") else {
                throw Malformed(text: text, reason: "the bracket of the IPv6 address is not closed")
            }
            host = authority[authority.index(after: authority.startIndex)..<close]
            let after = authority[authority.index(after: close)...]
            guard after.isEmpty || after.hasPrefix(":") else {
                throw Malformed(text: text, reason: "only a port may follow the IPv6 address")
            }
            portText = after.isEmpty ? nil : after.dropFirst()
        } else {
            let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2 else { throw Malformed(text: text, reason: "an IPv6 address needs brackets") }
            host = parts.first ?? ""
            portText = parts.count == 2 ? parts[1] : nil
        }
        guard !host.isEmpty else { throw Malformed(text: text, reason: "the host is empty") }
        self.host = String(host)
        if let portText {
            guard let port = Int(portText), (1...65_535).contains(port) else {
                throw Malformed(text: text, reason: "port \(portText) is not in 1...65535")
            }
            self.port = port
        } else {
            port = scheme == .https ? 443 : 80
        }
        var prefix = String(path)
        while prefix.hasSuffix("/") { prefix.removeLast() }
        pathPrefix = prefix
    }

    /// `host:port` as the `Host` header writes it.
    var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    public var description: String { "\(scheme.rawValue)://\(authority)\(pathPrefix)" }
}
