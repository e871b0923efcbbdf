/// Where a node gets a manifest from over HTTP: `http://` or `https://`, a host, and what follows.
public struct ManifestURL: Hashable, Sendable, CustomStringConvertible {
    /// Why a text is no such URL, in one line without the text's secrets.
    public struct Invalid: Error, Hashable, Sendable, CustomStringConvertible {
        public let description: String
    }

    /// As given.
    public let text: String

    public init(parsing text: String) throws(Invalid) {
        guard let scheme = ["http://", "https://"].first(where: text.hasPrefix) else {
            throw Invalid(description: "must begin with http:// or https://")
        }
        let rest = text.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.isEmpty, !authority.hasPrefix(":") else { throw Invalid(description: "names no host") }
        guard !authority.contains("@") else {
            throw Invalid(description: "must not hold a user name or password; give them in a header")
        }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw Invalid(description: "must be ASCII without spaces; write other characters as %XX")
        }
        self.text = text
    }

    /// Without query and fragment, which may hold secrets.
    public var description: String { String(text.prefix { $0 != "?" && $0 != "#" }) }
}
