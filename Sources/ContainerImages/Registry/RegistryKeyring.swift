import KubernetesAPI

/// Credentials by the registries they are for, as docker's configuration files hold them.
public struct RegistryKeyring: Hashable, Sendable {
    struct Entry: Hashable, Sendable {
        let pattern: RegistryPattern
        let credential: RegistryCredential
    }

    private(set) var entries: [Entry] = []
    /// Why credentials that there might be are not among these, one line each.
    public var problems: [String] = []

    public init() {}

    /// More credentials, asked after those that are here already.
    public mutating func append(_ other: RegistryKeyring) {
        entries += other.entries
        problems += other.problems
    }

    /// Reads `{"auths": {…}}` (`config.json`, `kubernetes.io/dockerconfigjson`), or with `isLegacy` the map alone
    /// (`.dockercfg`, `kubernetes.io/dockercfg`). Entries without a secret are left out.
    ///
    /// - Throws: ``ImageError/Code/invalidCredentials`` in words that do not repeat what was read.
    public init(
        parsing bytes: [UInt8], isLegacy: Bool = false, source: RegistryCredential.Source, subject: String
    ) throws(ImageError) {
        guard let document = try? JSONValue(parsing: bytes), document.objectValue != nil else {
            throw ImageError(.invalidCredentials, "\(subject): is not a JSON object")
        }
        let map = isLegacy ? document : document["auths"] ?? .object([:])
        guard let auths = map.objectValue else {
            throw ImageError(.invalidCredentials, "\(subject): \"auths\" is not an object")
        }
        guard auths.count <= 1000 else {
            throw ImageError(.invalidCredentials, "\(subject): has more than 1000 registries")
        }
        for (key, value) in auths.sorted(by: { $0.key < $1.key }) {
            guard let pattern = RegistryPattern(key) else {
                throw ImageError(.invalidCredentials, "\(subject): \(ImageError.quoted(key)) is not a registry")
            }
            let place = "\(subject), registry \(ImageError.quoted(key))"
            guard let secret = try Self.secret(value, subject: place) else { continue }
            entries.append(Entry(pattern: pattern, credential: RegistryCredential(secret, source: source)))
        }
    }

    private static func secret(
        _ value: JSONValue, subject: String
    ) throws(ImageError) -> RegistryCredential.Secret? {
        func text(_ field: String) throws(ImageError) -> String? {
            guard let member = value[field], member != .null else { return nil }
            guard let text = member.stringValue, !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
                throw ImageError(
                    .invalidCredentials, "\(subject): \(field) is not a string without control characters")
            }
            return text.isEmpty ? nil : text
        }
        if let token = try text("identitytoken") { return .identityToken(token) }
        if let token = try text("registrytoken") { return .registryToken(token) }
        if let auth = try text("auth") {
            guard let bytes = Base64.decode(auth), let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else {
                throw ImageError(.invalidCredentials, "\(subject): auth is not base64 of user:password")
            }
            var password = String(decoding: bytes[(colon + 1)...], as: UTF8.self)
            // Some tools end what they encode with NUL bytes.
            while password.hasSuffix("\0") { password.removeLast() }
            return .password(user: String(decoding: bytes[..<colon], as: UTF8.self), password: password)
        }
        guard let user = try text("username") else { return nil }
        return .password(user: user, password: try text("password") ?? "")
    }

    /// What fits a repository, the most specific pattern first: all are tried in this order.
    public func credentials(registry: String, repository: String) -> [RegistryCredential] {
        var found: [RegistryCredential] = []
        let fitting = entries.enumerated().filter {
            $0.element.pattern.fits(registry: registry, repository: repository)
        }
        for (_, entry) in fitting.sorted(by: {
            ($1.element.pattern.specificity, $0.offset) < ($0.element.pattern.specificity, $1.offset)
        }) where !found.contains(entry.credential) {
            found.append(entry.credential)
        }
        return found
    }
}

/// A key of a credential file: `registry.example.org/team`, `*.example.org:5000`, `https://index.docker.io/v1/`.
struct RegistryPattern: Hashable, Sendable {
    /// Labels of the host, each perhaps with `*`.
    let labels: [Substring]
    let port: Int?
    /// Components of the path.
    let path: [Substring]

    init?(_ text: String) {
        guard text.utf8.count <= 1024, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        var rest = text[...]
        for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) { rest = rest.dropFirst(scheme.count) }
        let authority = rest.prefix { $0 != "/" }
        var path = rest.dropFirst(authority.count).split(separator: "/")
        // What docker's own login writes for its hub.
        if let version = path.first, version == "v1" || version == "v2" { path = Array(path.dropFirst()) }
        guard let (host, port) = RegistryURL.split(authority) else { return nil }
        let name = Self.canonical(host)
        labels = name.split(separator: ".", omittingEmptySubsequences: false)
        self.port = port
        self.path = path
    }

    /// Docker's hub has several names.
    private static func canonical(_ host: String) -> String {
        host == "index.docker.io" || host == "registry-1.docker.io" ? "docker.io" : host
    }

    /// Longer paths first, then hosts without wildcards.
    var specificity: Int { path.count * 2 + (labels.contains { $0.contains("*") } ? 0 : 1) }

    func fits(registry: String, repository: String) -> Bool {
        guard let (host, port) = RegistryURL.split(registry) else { return false }
        let offered = Self.canonical(host).split(separator: ".", omittingEmptySubsequences: false)
        guard port == self.port, offered.count == labels.count,
            zip(labels, offered).allSatisfy({ Self.matches($0, $1) })
        else { return false }
        return repository.split(separator: "/").starts(with: path)
    }

    /// `*` stands for any text within one label. Linear, whatever a secret holds: on a mismatch only the last star grows.
    static func matches(_ pattern: Substring, _ text: Substring) -> Bool {
        let (pattern, text) = (Array(pattern.utf8), Array(text.utf8))
        var (patternAt, textAt) = (0, 0)
        var star: (pattern: Int, text: Int)?
        while textAt < text.count {
            if patternAt < pattern.count, pattern[patternAt] == UInt8(ascii: "*") {
                star = (patternAt, textAt)
                patternAt += 1
            } else if patternAt < pattern.count, pattern[patternAt] == text[textAt] {
                patternAt += 1
                textAt += 1
            } else if let last = star {
                star = (last.pattern, last.text + 1)
                patternAt = last.pattern + 1
                textAt = last.text + 1
            } else {
                return false
            }
        }
        return pattern[patternAt...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
