/// The name of an image: `registry/repository:tag@digest`, normalised as every container tool does it
/// (`busybox` is `docker.io/library/busybox:latest`).
public struct ImageReference: Hashable, Sendable, CustomStringConvertible {
    /// Host and optional port, such as `docker.io` or `localhost:5000`.
    public let registry: String
    /// Path in the registry, such as `library/busybox`.
    public let repository: String
    /// `nil` only when there is a digest and no tag was written.
    public let tag: String?
    public let digest: ContentDigest?

    /// What a container that runs on the host's own root file system names as its image.
    public static let hostRootfs = "host:///"

    /// Whether `text` asks for the host's own root file system instead of an image.
    public static func isHostRootfs(_ text: String) -> Bool { text == hostRootfs }

    /// Longest name, without tag and digest, that registries accept.
    private static let nameLimitBytes = 255

    /// Parses and normalises a reference.
    ///
    /// - Throws: ``ImageError/Code/invalidReference`` naming the part that breaks the grammar.
    public init(parsing text: String) throws(ImageError) {
        func invalid(_ reason: String) -> ImageError {
            ImageError(.invalidReference, "image name \(ImageError.quoted(text)): \(reason)")
        }
        guard !text.isEmpty else { throw invalid("is empty") }
        guard text.utf8.count <= 1024 else { throw invalid("is longer than 1024 bytes") }
        guard text.utf8.allSatisfy({ (0x21..<0x7F).contains($0) }) else {
            throw invalid("has a character that is not printable ASCII")
        }
        var name = text[...]
        var digest: ContentDigest?
        if let at = name.firstIndex(of: "@") {
            guard let parsed = ContentDigest(String(name[name.index(after: at)...])) else {
                throw invalid("the digest must be \"sha256:\" and 64 lower-case hexadecimal digits")
            }
            digest = parsed
            name = name[..<at]
        }
        var tag: String?
        if let colon = name.lastIndex(of: ":"), !name[colon...].contains("/") {
            let part = name[name.index(after: colon)...]
            guard Self.isTag(part) else {
                throw invalid(
                    "the tag must be 1 to 128 letters, digits, \"_\", \".\" or \"-\", not starting with \".\" or \"-\"")
            }
            tag = String(part)
            name = name[..<colon]
        }
        var registry = "docker.io"
        if let slash = name.firstIndex(of: "/"), Self.looksLikeRegistry(name[..<slash]) {
            guard Self.isRegistry(name[..<slash]) else {
                throw invalid("the registry must be a host name with an optional port")
            }
            registry = String(name[..<slash])
            name = name[name.index(after: slash)...]
        }
        if registry == "index.docker.io" { registry = "docker.io" }
        guard !name.isEmpty else { throw invalid("has no repository") }
        for component in name.split(separator: "/", omittingEmptySubsequences: false)
        where !Self.isPathComponent(component) {
            throw invalid(
                "a repository part must be lower-case letters and digits with \".\", \"_\", \"__\" or \"-\" between"
            )
        }
        var repository = String(name)
        if ContentDigest(hexadecimal: repository) != nil {
            throw invalid("a repository of 64 hexadecimal digits would be mistaken for an image ID")
        }
        if registry == "docker.io", !repository.contains("/") { repository = "library/" + repository }
        guard registry.utf8.count + 1 + repository.utf8.count <= Self.nameLimitBytes else {
            throw invalid("registry and repository are longer than \(Self.nameLimitBytes) bytes")
        }
        self.registry = registry
        self.repository = repository
        self.tag = tag ?? (digest == nil ? "latest" : nil)
        self.digest = digest
    }

    /// Registry and repository, without tag and digest.
    public var name: String { registry + "/" + repository }

    /// The normalised reference.
    public var description: String {
        name + (tag.map { ":" + $0 } ?? "") + (digest.map { "@\($0)" } ?? "")
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isLowerAlphanumeric(byte) || (0x41...0x5A).contains(byte)
    }

    private static func isLowerAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte)
    }

    private static func isTag(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 128 else { return false }
        let underscore = UInt8(ascii: "_")
        return (isAlphanumeric(first) || first == underscore)
            && text.utf8.allSatisfy {
                isAlphanumeric($0) || $0 == underscore || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-")
            }
    }

    /// The first path component names a registry when it cannot be part of a repository on Docker Hub.
    private static func looksLikeRegistry(_ text: Substring) -> Bool {
        text == "localhost" || text.contains(".") || text.contains(":")
            || text.utf8.contains { (0x41...0x5A).contains($0) }
    }

    private static func isRegistry(_ text: Substring) -> Bool {
        var host = text
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return false }
            let address = text[text.index(after: text.startIndex)..<end]
            guard address.contains(":"),
                address.utf8.allSatisfy({ $0 == 0x3A || ContentDigest.isDigit($0 | 0x20) || $0 == 0x2E })
            else { return false }
            let rest = text[text.index(after: end)...]
            return rest.isEmpty || (rest.hasPrefix(":") && isPort(rest.dropFirst()))
        }
        if let colon = text.firstIndex(of: ":") {
            guard isPort(text[text.index(after: colon)...]) else { return false }
            host = text[..<colon]
        }
        return host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            guard let first = label.utf8.first, let last = label.utf8.last, label.utf8.count <= 63 else { return false }
            return isAlphanumeric(first) && isAlphanumeric(last)
                && label.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
        }
    }

    private static func isPort(_ text: Substring) -> Bool {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = UInt16(text)
        else { return false }
        return port > 0
    }

    /// `[a-z0-9]+` groups joined by `.`, `_`, `__` or any number of `-`.
    private static func isPathComponent(_ text: Substring) -> Bool {
        var separator: [UInt8] = []
        guard let first = text.utf8.first, let last = text.utf8.last, isLowerAlphanumeric(first),
            isLowerAlphanumeric(last)
        else { return false }
        for byte in text.utf8 {
            if isLowerAlphanumeric(byte) {
                guard separator.count < 2 || separator == [0x5F, 0x5F] || separator.allSatisfy({ $0 == 0x2D }) else {
                    return false
                }
                separator = []
            } else if byte == 0x2E || byte == 0x5F || byte == 0x2D {
                separator.append(byte)
            } else {
                return false
            }
        }
        return true
    }
}
