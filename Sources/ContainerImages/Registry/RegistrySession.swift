import AsyncHTTPClient
import KubernetesAPI
import NIOCore
import NIOHTTP1
import Synchronization

/// One endpoint and who we are there, for one pull: answers its challenges and follows its redirects.
final class RegistrySession: Sendable {
    let endpoint: RegistryEndpoint
    let credential: RegistryCredential?
    private let transport: RegistryTransport
    /// The value of the `Authorization` header in use.
    private let authorization: Mutex<String?>

    init(endpoint: RegistryEndpoint, credential: RegistryCredential?, transport: RegistryTransport) {
        self.endpoint = endpoint
        self.credential = credential
        self.transport = transport
        if case .registryToken(let token)? = credential?.secret {
            authorization = Mutex("Bearer " + token)
        } else {
            authorization = Mutex(nil)
        }
    }

    private var subject: String { "registry \(endpoint.name), repository \(ImageError.quoted(endpoint.repository))" }

    /// Sends a request and returns once the head of a good answer (200 or 206) has come.
    func open(
        _ method: HTTPMethod, _ url: RegistryURL, accept: String? = nil, range: String? = nil
    ) async throws(TransferFailure) -> HTTPClientResponse {
        var url = url
        var (redirects, challenges) = (0, 0)
        var mayAuthorize = true
        while true {
            var request = HTTPClientRequest(url: url.description)
            request.method = method
            request.headers.add(name: "user-agent", value: "swiftlet")
            if let accept { request.headers.add(name: "accept", value: accept) }
            if let range { request.headers.add(name: "range", value: range) }
            let sent = mayAuthorize ? authorization.withLock { $0 } : nil
            if let sent { request.headers.add(name: "authorization", value: sent) }
            let response = try await transport.send(
                request, caFile: caFile(for: url), place: "registry \(url.authority)")
            switch response.status.code {
            case 200, 206: return response
            case 301, 302, 303, 307, 308:
                let location = response.headers.first(name: "location")
                switch RedirectDecision.decide(
                    from: url, location: location, followed: redirects, mayBePlain: transport.configuration.mayBePlain)
                {
                case .refuse(let reason): throw TransferFailure(.refused, .invalidAnswer, "\(subject): \(reason)")
                case .follow(let target, let keepsAuthorization):
                    url = target
                    mayAuthorize = mayAuthorize && keepsAuthorization
                    redirects += 1
                }
            case 401 where mayAuthorize && challenges < 2:
                challenges += 1
                // Reads the body, too: its connection serves the next request.
                let failure = await failure(response, isOwn: true)
                // Another request of this pull may have got a newer one meanwhile.
                if authorization.withLock({ $0 }) == sent {
                    let challenges = AuthenticationChallenge.parse(response.headers["www-authenticate"])
                    try await answer(challenges, refused: sent, otherwise: failure)
                }
            default: throw await failure(response, isOwn: mayAuthorize)
            }
        }
    }

    private func caFile(for url: RegistryURL) -> String? {
        if url.host == endpoint.url.host { return endpoint.caFile }
        return transport.configuration.caFile(for: url)
    }

    /// - Parameter isOwn: the registry itself has answered, and not whoever it redirected to: only then its words are given.
    private func failure(_ response: HTTPClientResponse, isOwn: Bool) async -> TransferFailure {
        let status = Int(response.status.code)
        let words = isOwn ? await Self.words(of: response) : ""
        let message = "\(subject): \(status) \(response.status.reasonPhrase.prefix(60))\(words)"
        switch status {
        case 401, 403: return TransferFailure(.refused, .unauthorized, message)
        case 404, 410: return TransferFailure(.refused, .notFound, message)
        case 408, 429, 500...599:
            let asked = RetryAfter.parse(response.headers.first(name: "retry-after"))
            return TransferFailure(.busy(retryAfter: asked), .unavailable, message)
        default: return TransferFailure(.refused, .invalidAnswer, message)
        }
    }

    /// The registry's own message, where it sends one in the specified form.
    private static func words(of response: HTTPClientResponse) async -> String {
        guard let body = try? await response.body.collect(upTo: 16 << 10),
            let document = try? JSONValue(parsing: Array(body.readableBytesView)),
            let text = document["errors"]?[0]?["message"]?.stringValue, !text.isEmpty
        else { return "" }
        return ": \(ImageError.quoted(String(text.prefix(160))))"
    }

    // MARK: Authentication

    /// - Parameters:
    ///   - refused: what was sent and not taken.
    ///   - failure: what to throw when there is nothing to answer with.
    private func answer(
        _ challenges: [AuthenticationChallenge], refused: String?, otherwise failure: TransferFailure
    ) async throws(TransferFailure) {
        guard let challenge = AuthenticationChallenge.preferred(challenges) else { throw failure }
        if challenge.scheme == "basic" {
            guard case .password(let user, let password)? = credential?.secret, refused == nil else { throw failure }
            authorization.withLock { $0 = Self.basic(user, password) }
            return
        }
        let token = try await token(challenge)
        authorization.withLock { $0 = "Bearer " + token.text }
    }

    private static func basic(_ user: String, _ password: String) -> String {
        "Basic " + Base64.encode(Array("\(user):\(password)".utf8))
    }

    private func token(_ challenge: AuthenticationChallenge) async throws(TransferFailure) -> RegistryToken {
        guard let realm = challenge.parameters["realm"].flatMap({ RegistryURL($0) }),
            realm.scheme == .https || realm.isSameOrigin(as: endpoint.url) || transport.configuration.mayBePlain(realm)
        else {
            throw TransferFailure(
                .refused, .invalidAnswer,
                "\(subject): its token server is no https address, and not configured as plainHTTP")
        }
        if credential != nil,
            !TokenRealm.maySeeCredentials(realm, of: endpoint.url, trusted: endpoint.tokenHosts)
        {
            throw TransferFailure(
                .refused, .unauthorized,
                "\(subject): its token server \(realm.authority) is on another host and is not shown the password; "
                    + "if it is yours, name it in tokenHosts")
        }
        // What we ask for is ours to say: a challenge must not make us ask for more than reading this repository.
        let scope = "repository:\(endpoint.repository):pull"
        let url = TokenRealm.request(realm, service: challenge.parameters["service"], scope: scope)
        var request = HTTPClientRequest(url: url.description)
        request.headers.add(name: "user-agent", value: "swiftlet")
        switch credential?.secret {
        case .password(let user, let password):
            request.headers.add(name: "authorization", value: Self.basic(user, password))
        case .identityToken(let token):
            request.method = .POST
            request.url = realm.description
            request.headers.add(name: "content-type", value: "application/x-www-form-urlencoded")
            request.body = .bytes(
                ByteBuffer(
                    string: TokenRealm.refreshForm(token, service: challenge.parameters["service"], scope: scope)))
        case .registryToken, nil: break
        }
        let place = "token server \(realm.authority) of registry \(endpoint.name)"
        let response = try await transport.send(request, caFile: caFile(for: realm), place: place)
        switch response.status.code {
        case 200: break
        case 429, 500...599:
            let asked = RetryAfter.parse(response.headers.first(name: "retry-after"))
            throw TransferFailure(
                .busy(retryAfter: asked), .unavailable, "\(place): answers \(response.status.code)")
        default:
            throw TransferFailure(
                .refused, .unauthorized, "\(place): gives no token: \(response.status.code)")
        }
        let body: ByteBuffer
        do { body = try await response.body.collect(upTo: RegistryToken.documentLimitBytes) } catch {
            throw TransferFailure(transport: error, place: place)
        }
        guard let token = RegistryToken(parsing: Array(body.readableBytesView)) else {
            throw TransferFailure(.refused, .invalidAnswer, "\(place): its answer has no usable token")
        }
        return token
    }
}
