/// An address on the web as far as probes need it.
struct ProbeURL: Hashable, Sendable, CustomStringConvertible {
    enum Scheme: String, Hashable, Sendable { case http, https }

    var scheme: Scheme
    /// Without brackets.
    let host: String
    /// Nil means the scheme's own.
    let port: Int?
    /// Path and query, encoded, starting with a slash.
    let target: String

    /// - Parameter path: path and query as a person wrote them.
    init(scheme: Scheme, address: ProbeAddress, path: String) {
        self.init(scheme: scheme, host: address.host, port: address.port, target: Self.encoded(path))
    }

    private init(scheme: Scheme, host: String, port: Int?, target: String) {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.target = target
    }

    var address: ProbeAddress { ProbeAddress(host: host, port: port ?? (scheme == .https ? 443 : 80)) }

    /// As in a `Host` header.
    var authority: String {
        if port != nil { return address.text }
        return host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
    }

    var description: String { "\(scheme.rawValue)://\(authority)\(target)" }

    /// Where a `Location` header leads from here.
    func resolving(_ location: String) throws(ProbeURLError) -> ProbeURL {
        if let mark = Self.schemeEnd(of: location) {
            let name = location[..<mark].lowercased()
            guard let scheme = Scheme(rawValue: name) else { throw .unsupportedScheme(name) }
            let rest = location[mark...].dropFirst()
            guard rest.hasPrefix("//") else { throw .unreadable(location) }
            return try Self.reading(rest.dropFirst(2), scheme: scheme, location: location)
        }
        if location.hasPrefix("//") {
            return try Self.reading(location.dropFirst(2), scheme: scheme, location: location)
        }
        if location.hasPrefix("/") { return with(path: location) }
        let path = target.prefix { $0 != "?" }
        if location.hasPrefix("?") { return with(path: path + location) }
        if location.hasPrefix("#") { return self }
        return with(path: directory + location)
    }

    /// Whether the text names a scheme, and with it a server.
    static func isAbsolute(_ location: String) -> Bool { schemeEnd(of: location) != nil }

    private static func schemeEnd(of location: String) -> String.Index? {
        let mark = location.utf8.firstIndex { ":/?#".utf8.contains($0) }
        return mark.flatMap { location.utf8[$0] == UInt8(ascii: ":") ? $0 : nil }
    }

    /// The path up to its last slash.
    private var directory: Substring {
        let path = target.prefix { $0 != "?" }
        return path[...(path.lastIndex(of: "/") ?? path.startIndex)]
    }

    private func with(path: some StringProtocol) -> ProbeURL {
        ProbeURL(scheme: scheme, host: host, port: port, target: Self.withoutDotSegments(Self.encoded(String(path))))
    }

    /// Reads `authority/path?query`.
    private static func reading(
        _ text: Substring, scheme: Scheme, location: String
    ) throws(ProbeURLError) -> ProbeURL {
        let end = text.firstIndex { "/?#".contains($0) } ?? text.endIndex
        var authority = text[..<end]
        if let user = authority.lastIndex(of: "@") { authority = authority[user...].dropFirst() }
        let host: Substring
        let rest: Substring
        if authority.hasPrefix("[") {
            guard let closing = authority.firstIndex(of: "]") else { throw .unreadable(location) }
            host = authority[..<closing].dropFirst()
            rest = authority[closing...].dropFirst()
        } else {
            host = authority.prefix { $0 != ":" }
            rest = authority[host.endIndex...]
        }
        guard !host.isEmpty, rest.isEmpty || rest.hasPrefix(":") else { throw .unreadable(location) }
        var port: Int?
        if rest.count > 1 {
            guard let number = Int(rest.dropFirst()), (1...65535).contains(number) else { throw .unreadable(location) }
            port = number
        }
        let target = withoutDotSegments(encoded(String(text[end...])))
        return ProbeURL(scheme: scheme, host: String(host), port: port, target: target)
    }

    /// A request target: no fragment, a slash in front, and nothing in it that ends a request line.
    private static func encoded(_ path: String) -> String {
        let path = Array(path.utf8.prefix { $0 != UInt8(ascii: "#") })
        var bytes: [UInt8] = path.first == UInt8(ascii: "/") ? [] : [UInt8(ascii: "/")]
        let digits = Array("0123456789ABCDEF".utf8)
        for (index, byte) in path.enumerated() {
            let isEscape = byte == UInt8(ascii: "%") && path.dropFirst(index + 1).prefix(2).count(where: isHex) == 2
            if byte > 0x20 && byte < 0x7F && (isEscape || !"%\"<>\\^`{|}".utf8.contains(byte)) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }

    /// `/a/./b/../c` is `/a/c`; the query stays as it is.
    private static func withoutDotSegments(_ target: String) -> String {
        let path = target.prefix { $0 != "?" }
        var segments: [Substring] = []
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        for (index, part) in parts.enumerated() {
            let isLast = index == parts.count - 1
            switch part {
            case ".": if isLast { segments.append("") }
            case "..":
                _ = segments.popLast()
                if isLast { segments.append("") }
            default: segments.append(part)
            }
        }
        return "/" + segments.joined(separator: "/") + target[path.endIndex...]
    }
}

/// Why a `Location` header leads nowhere.
enum ProbeURLError: Error, Hashable, CustomStringConvertible {
    case unreadable(String)
    case unsupportedScheme(String)

    var description: String {
        switch self {
        case .unreadable(let location): "failed to parse Location header \"\(location)\""
        case .unsupportedScheme(let scheme): "unsupported protocol scheme \"\(scheme)\""
        }
    }
}
