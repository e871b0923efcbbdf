import Synchronization

/// The current bearer token; a token file is read again once a minute, as projected tokens rotate on disk.
final class BearerTokenCache: Sendable {
    private struct State {
        var value: String?
        var readAt: ContinuousClock.Instant?
    }

    private let source: BearerToken
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state = Mutex(State())

    /// How long a value read from a file is believed; rotation replaces tokens long before they expire.
    static let maximumAge = Duration.seconds(60)

    init(_ source: BearerToken, now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock().now }) {
        self.source = source
        self.now = now
    }

    /// - Throws: when the file cannot be read and no earlier value is known.
    func token() throws(CredentialFile.Unreadable) -> String {
        switch source {
        case .fixed(let token): return token
        case .file(let path):
            let instant = now()
            let fresh = state.withLock { state -> String? in
                guard let readAt = state.readAt, readAt.duration(to: instant) < Self.maximumAge else { return nil }
                return state.value
            }
            if let fresh { return fresh }
            return try read(path, at: instant)
        }
    }

    /// The server refused the token: read the file again at the next request.
    func invalidate() { state.withLock { $0.readAt = nil } }

    private func read(_ path: String, at instant: ContinuousClock.Instant) throws(CredentialFile.Unreadable) -> String {
        do throws(CredentialFile.Unreadable) {
            let text = String(decoding: try CredentialFile.read(path), as: UTF8.self)
            let token = String(text.filter { !$0.isWhitespace })
            guard !token.isEmpty else { throw CredentialFile.Unreadable(path: path, reason: "the file is empty") }
            state.withLock { $0 = State(value: token, readAt: instant) }
            return token
        } catch {
            // Mid-rotation the file may be away for an instant; the old token usually still works.
            if let last = state.withLock({ $0.value }) { return last }
            throw error
        }
    }
}
