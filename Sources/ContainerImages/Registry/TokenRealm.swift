/// Where a registry sends us for a token, and whether the password may go along.
enum TokenRealm {
    /// - Parameters:
    ///   - registry: the endpoint that sent the challenge.
    ///   - trusted: hosts that the node's configuration names (`tokenHosts`).
    /// - Returns: whether credentials for `registry` may be shown to `realm`: to its own host, to its own domain over TLS
    ///   (`auth.docker.io` for `registry-1.docker.io`), and to configured hosts over TLS.
    static func maySeeCredentials(_ realm: RegistryURL, of registry: RegistryURL, trusted: [String]) -> Bool {
        if realm.isSameOrigin(as: registry) { return true }
        guard realm.scheme == .https else { return false }
        if realm.host == registry.host || trusted.contains(realm.host) || trusted.contains(realm.authority) {
            return true
        }
        guard let domain = domain(of: registry.host) else { return false }
        return realm.host == domain || Self.domain(of: realm.host) == domain
    }

    /// What is behind the first label, when that is itself a domain with a dot; `nil` for addresses.
    private static func domain(of host: String) -> String? {
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        guard !host.hasPrefix("["), labels.count >= 3, labels.last.map({ Int($0) == nil }) == true,
            !labels.contains("")
        else { return nil }
        return labels.dropFirst().joined(separator: ".")
    }

    /// The address of the token: the realm with service and scope.
    static func request(_ realm: RegistryURL, service: String?, scope: String) -> RegistryURL {
        var url = realm
        var query = "scope=" + encode(scope)
        if let service { query = "service=\(encode(service))&" + query }
        url.target += (url.target.contains("?") ? "&" : "?") + query
        if url.target.hasPrefix("?") { url.target = "/" + url.target }
        return url
    }

    /// The body that turns a refresh token into an access token (OAuth 2 as token servers of registries do it).
    static func refreshForm(_ token: String, service: String?, scope: String) -> String {
        "grant_type=refresh_token&client_id=swiftlet&service=\(encode(service ?? ""))&scope=\(encode(scope))"
            + "&refresh_token=\(encode(token))"
    }

    private static func encode(_ text: String) -> String {
        let hex = Array("0123456789ABCDEF")
        return text.utf8.reduce(into: "") { encoded, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "/"), UInt8(ascii: ":"):
                encoded.append(Character(UnicodeScalar(byte)))
            default: encoded += "%\(hex[Int(byte >> 4)])\(hex[Int(byte & 15)])"
            }
        }
    }
}
