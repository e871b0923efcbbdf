import Logging
import Synchronization

/// Decides on every request to the node's HTTPS API: who it is from, and whether they may. In doubt nobody may.
final class NodeAccess: Sendable {
    enum Verdict: Hashable, Sendable {
        case allowed
        case refused(status: Int, message: String)

        static let unknown = Verdict.refused(status: 401, message: "Unauthorized")
    }

    /// As kubelet has them by default.
    static let callerTime = Duration.seconds(120)
    static let allowedTime = Duration.seconds(300)
    static let deniedTime = Duration.seconds(30)
    /// Bytes of a token; larger ones are nobody's.
    static let tokenLimit = 16 << 10
    /// Decisions kept of each kind.
    static let cacheLimit = 512
    /// Questions to the API server at a time. More are not asked: who has no token yet shall not keep those busy who have.
    static let questionLimit = 64
    private static let warningInterval = Duration.seconds(60)

    private struct Question: Hashable {
        let caller: NodeCaller
        let verb: String
        let subresource: String
    }

    private struct State {
        var certificates = DecisionCache<[UInt8], NodeCaller>(limit: NodeAccess.cacheLimit)
        var tokens = DecisionCache<String, NodeCaller>(limit: NodeAccess.cacheLimit)
        /// Apart from the good ones, which strangers shall not push out.
        var strangers = DecisionCache<String, Bool>(limit: NodeAccess.cacheLimit)
        var allowed = DecisionCache<Question, Bool>(limit: NodeAccess.cacheLimit)
        var denied = DecisionCache<Question, Bool>(limit: NodeAccess.cacheLimit)
        var questions = 0
        var nextWarning: ContinuousClock.Instant?
    }

    private enum Failure: Error, CustomStringConvertible {
        case tooManyQuestions

        var description: String { "\(NodeAccess.questionLimit) questions to the API server are open already" }
    }

    private let state = Mutex(State())
    private let reviewer: any AccessReviewer
    private let roles: NodeRoles
    private let logger: Logger
    private let now: @Sendable () -> ContinuousClock.Instant
    private let seconds: @Sendable () -> Int64

    /// - Parameters:
    ///   - now: for how long decisions hold.
    ///   - seconds: since 1970, for what certificates and tokens say of their end.
    init(
        reviewer: any AccessReviewer, roles: NodeRoles, logger: Logger,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }, seconds: @escaping @Sendable () -> Int64
    ) {
        self.reviewer = reviewer
        self.roles = roles
        self.logger = logger
        self.now = now
        self.seconds = seconds
    }

    /// - Parameters:
    ///   - certificateDER: what the client proved in the handshake to hold the key of.
    ///   - authorization: the header of that name.
    func decide(_ action: NodeAction, certificateDER: [UInt8]?, authorization: String?) async -> Verdict {
        let caller: NodeCaller
        do {
            guard let found = try await self.caller(certificateDER, authorization) else { return .unknown }
            caller = found
        } catch {
            warn("a token cannot be reviewed", error)
            return .unknown
        }
        guard !action.verb.isEmpty else { return .refused(status: 405, message: "Method Not Allowed") }
        let asked = "user=\(caller.name), verb=\(action.verb), resource=nodes, subresource(s)=\(action.subresources)"
        for subresource in action.subresources {
            do {
                if try await allows(caller, action.verb, subresource) { return .allowed }
            } catch {
                warn("a right cannot be reviewed", error)
                return .refused(status: 500, message: "Authorization error (\(asked))")
            }
        }
        return .refused(status: 403, message: "Forbidden (\(asked))")
    }

    // MARK: Who

    private func caller(_ certificate: [UInt8]?, _ authorization: String?) async throws -> NodeCaller? {
        if let certificate, let caller = await caller(certificate: certificate), isCurrent(caller) { return caller }
        guard let token = Self.bearerToken(authorization) else { return nil }
        let now = now()
        let known = state.withLock {
            ($0.tokens.decision(for: token, at: now), $0.strangers.decision(for: token, at: now))
        }
        if let caller = known.0 { return isCurrent(caller) ? caller : nil }
        if known.1 != nil { return nil }
        let found = try await asking { try await reviewer.caller(token: token) }
        state.withLock { state in
            if let found {
                state.tokens.keep(found, for: token, at: now, lasting: Self.callerTime)
            } else {
                state.strangers.keep(true, for: token, at: now, lasting: Self.callerTime)
            }
        }
        return found
    }

    private func caller(certificate: [UInt8]) async -> NodeCaller? {
        let now = now()
        if let caller = state.withLock({ $0.certificates.decision(for: certificate, at: now) }) { return caller }
        guard let caller = await reviewer.caller(certificateDER: certificate) else { return nil }
        state.withLock { $0.certificates.keep(caller, for: certificate, at: now, lasting: Self.callerTime) }
        return caller
    }

    private func isCurrent(_ caller: NodeCaller) -> Bool { seconds() <= caller.expiry }

    /// The token of an `Authorization: Bearer` header; nil when there is none that could be one.
    static func bearerToken(_ header: String?) -> String? {
        guard let header, header.utf8.count <= tokenLimit else { return nil }
        let parts = header.split(separator: " ")
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return String(parts[1])
    }

    // MARK: What

    private func allows(_ caller: NodeCaller, _ verb: String, _ subresource: String) async throws -> Bool {
        if roles.allows(caller, verb: verb, subresource: subresource) { return true }
        let question = Question(caller: caller, verb: verb, subresource: subresource)
        let now = now()
        let known = state.withLock { state -> Bool? in
            if state.allowed.decision(for: question, at: now) != nil { return true }
            return state.denied.decision(for: question, at: now) != nil ? false : nil
        }
        if let known { return known }
        let answer = try await asking {
            try await reviewer.allows(caller, verb: verb, subresource: subresource)
        }
        state.withLock { state in
            if answer {
                state.allowed.keep(true, for: question, at: now, lasting: Self.allowedTime)
            } else {
                state.denied.keep(true, for: question, at: now, lasting: Self.deniedTime)
            }
        }
        return answer
    }

    // MARK: Asking

    private func asking<Answer: Sendable>(_ body: () async throws -> Answer) async throws -> Answer {
        let isFree = state.withLock { state in
            guard state.questions < Self.questionLimit else { return false }
            state.questions += 1
            return true
        }
        guard isFree else { throw Failure.tooManyQuestions }
        defer { state.withLock { $0.questions -= 1 } }
        return try await body()
    }

    /// The node's API is closed then, and its log says why; not for each request.
    private func warn(_ message: Logger.Message, _ error: any Error) {
        let now = now()
        let isDue = state.withLock { state in
            if let next = state.nextWarning, now < next { return false }
            state.nextWarning = now + Self.warningInterval
            return true
        }
        if isDue { logger.warning(message, metadata: ["reason": "\(error)"]) }
    }
}
