/// What credential providers have answered, for as long as it counts. Times are since any fixed moment.
struct CredentialProviderCache: Sendable {
    private struct Key: Hashable {
        let provider: String
        /// An image, a registry, or empty for all.
        let scope: String
        let kind: CredentialProviderReply.CacheKey
    }

    private struct Entry {
        let keyring: RegistryKeyring
        let end: Duration
    }

    private var entries: [Key: Entry] = [:]

    /// Answers for single images may be as many as there are images.
    private static let limit = 1000

    /// What still counts for an image: of an answer for itself, else for its registry, else for all.
    func keyring(provider: CredentialProvider, _ reference: ImageReference, now: Duration) -> RegistryKeyring? {
        for kind in [CredentialProviderReply.CacheKey.image, .registry, .global] {
            if let entry = entries[Self.key(provider, reference, kind)], now < entry.end { return entry.keyring }
        }
        return nil
    }

    /// Keeps an answer, if its duration or else the provider's default is not zero.
    mutating func keep(
        _ reply: CredentialProviderReply, of provider: CredentialProvider, for reference: ImageReference, now: Duration
    ) {
        let duration = reply.cacheDuration ?? provider.defaultCacheDuration
        guard duration > .zero else { return }
        entries = entries.filter { now < $0.value.end }
        if entries.count >= Self.limit, let first = entries.min(by: { $0.value.end < $1.value.end })?.key {
            entries[first] = nil
        }
        entries[Self.key(provider, reference, reply.cacheKey)] = Entry(keyring: reply.keyring, end: now + duration)
    }

    private static func key(
        _ provider: CredentialProvider, _ reference: ImageReference, _ kind: CredentialProviderReply.CacheKey
    ) -> Key {
        let scope =
            switch kind {
            case .image: reference.name
            case .registry: reference.registry
            case .global: ""
            }
        return Key(provider: provider.name, scope: scope, kind: kind)
    }
}
