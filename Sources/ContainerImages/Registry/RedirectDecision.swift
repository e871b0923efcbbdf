/// What becomes of a redirect: followed with what, or refused why.
enum RedirectDecision: Hashable, Sendable {
    /// `keepsAuthorization` only when it leads to the very same origin.
    case follow(RegistryURL, keepsAuthorization: Bool)
    case refuse(String)

    /// As many as a registry, its storage and a cache in front of it need.
    static let limit = 5

    /// - Parameters:
    ///   - followed: redirects followed for this request so far.
    ///   - mayBePlain: whether the node's configuration lets this host and port be talked to without TLS.
    static func decide(
        from origin: RegistryURL, location: String?, followed: Int, mayBePlain: (RegistryURL) -> Bool
    ) -> RedirectDecision {
        guard followed < limit else { return .refuse("redirects more than \(limit) times") }
        guard let location, let target = origin.following(location) else {
            return .refuse("redirects to something that is no http or https address")
        }
        guard target.scheme == .https || mayBePlain(target) else {
            return .refuse(
                "redirects to \(target.withoutQuery.prefix(200)), which is not encrypted and not configured as plainHTTP"
            )
        }
        return .follow(target, keepsAuthorization: target.isSameOrigin(as: origin))
    }
}
