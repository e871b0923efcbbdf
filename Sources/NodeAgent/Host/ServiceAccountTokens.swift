public import KubernetesAPI
public import KubernetesClient
public import Logging
import Synchronization
public import Volumes

/// What ``ServiceAccountTokens`` asks of an API server.
public protocol TokenRequesting: Sendable {
    func requestToken(
        namespace: String, serviceAccount: String, _ request: TokenRequest
    ) async throws(APIError) -> TokenRequest
}

extension APIClient: TokenRequesting {
    public func requestToken(
        namespace: String, serviceAccount: String, _ request: TokenRequest
    ) async throws(APIError) -> TokenRequest {
        try await createSubresource(
            of: ServiceAccount.self, namespace: namespace, name: serviceAccount, subresource: "token", body: request)
    }
}

/// Tokens of service accounts for the pods of this node, each bound to its pod, renewed in time and kept while no new one can be
/// had. In memory only: an agent that starts asks anew.
public final class ServiceAccountTokens: Sendable {
    private let server: any TokenRequesting
    private let now: @Sendable () -> Timestamp
    private let random: @Sendable () -> Double
    private let logger: Logger
    private let terms = Mutex<[ServiceAccountTokenKey: Entry]>([:])

    private struct Entry {
        var term: ServiceAccountTokenTerm
        var jitter: Double
    }

    /// How soon a renewal that failed is tried again.
    private static let retrySeconds: Int64 = 60

    /// - Parameter random: uniform in 0..<1.
    public init(
        server: any TokenRequesting, now: @escaping @Sendable () -> Timestamp = { .now() },
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }, logger: Logger
    ) {
        self.server = server
        self.now = now
        self.random = random
        self.logger = logger
    }

    /// A token that is valid now.
    public func token(_ key: ServiceAccountTokenKey) async throws(VolumeError) -> String { try await term(key).token }

    func term(_ key: ServiceAccountTokenKey) async throws(VolumeError) -> ServiceAccountTokenTerm {
        let held = terms.withLock { $0[key] }
        if let held, held.term.secondsUntilRenewal(at: now(), jitter: held.jitter) > 0 { return held.term }
        do throws(APIError) {
            let term = try await request(key)
            terms.withLock { $0[key] = Entry(term: term, jitter: random()) }
            return term
        } catch {
            if let held, !held.term.isExpired(at: now()) {
                logger.warning(
                    "service account token not renewed, the old one stays",
                    metadata: [
                        "serviceAccount": "\(key.serviceAccount)", "namespace": "\(key.namespace)", "error": "\(error)",
                    ])
                return held.term
            }
            throw VolumeError(
                .sourceUnavailable,
                "no token for service account \"\(key.namespace)/\(key.serviceAccount)\": \(error.message)")
        }
    }

    /// Seconds until the first of the pod's tokens is to be renewed; nil when it has none.
    public func secondsUntilRenewal(podUID: String) -> Int64? {
        let now = now()
        let entries = terms.withLock { terms in terms.filter { $0.key.podUID == podUID }.map(\.value) }
        return entries.map { entry in
            let seconds = entry.term.secondsUntilRenewal(at: now, jitter: entry.jitter)
            return seconds > 0 ? seconds : Self.retrySeconds
        }.min()
    }

    /// The pod is gone.
    public func forget(podUID: String) {
        terms.withLock { terms in terms = terms.filter { $0.key.podUID != podUID } }
    }

    private func request(_ key: ServiceAccountTokenKey) async throws(APIError) -> ServiceAccountTokenTerm {
        let bound = BoundObjectReference(kind: "Pod", apiVersion: "v1", name: key.podName, uid: key.podUID)
        let answer = try await server.requestToken(
            namespace: key.namespace, serviceAccount: key.serviceAccount,
            TokenRequest(
                metadata: ObjectMeta(namespace: key.namespace),
                spec: TokenRequestSpec(
                    audiences: key.audience.map { [$0] } ?? [], expirationSeconds: key.expirationSeconds,
                    boundObjectRef: bound)))
        guard let status = answer.status, !status.token.isEmpty, let expiresAt = status.expirationTimestamp else {
            throw APIError(
                code: .transport(.malformedResponse), message: "the answer to a token request has no token",
                request: "POST serviceaccounts/token")
        }
        return ServiceAccountTokenTerm(
            token: status.token, expiresAt: expiresAt,
            lifeSeconds: answer.spec.expirationSeconds ?? key.expirationSeconds)
    }
}
