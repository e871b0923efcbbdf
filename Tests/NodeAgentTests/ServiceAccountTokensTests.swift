import KubernetesAPI
import KubernetesClient
import Logging
import Synchronization
import Testing
import Volumes

@testable import NodeAgent

@Suite struct ServiceAccountTokensTests {
    /// Gives tokens `t1`, `t2`, … that are good for the asked time, from a clock of its own.
    private final class FakeServer: TokenRequesting {
        let state = Mutex((now: Int64(1_000_000), given: 0, isDown: false, asked: [TokenRequest]()))

        var now: Timestamp { Timestamp(seconds: state.withLock { $0.now }) }
        func advance(_ seconds: Int64) { state.withLock { $0.now += seconds } }
        func setDown(_ isDown: Bool) { state.withLock { $0.isDown = isDown } }

        func requestToken(
            namespace: String, serviceAccount: String, _ request: TokenRequest
        ) async throws(APIError) -> TokenRequest {
            let answer = state.withLock { state -> TokenRequest? in
                if state.isDown { return nil }
                state.given += 1
                state.asked.append(request)
                var answer = request
                answer.status = TokenRequestStatus(
                    token: "t\(state.given)",
                    expirationTimestamp: Timestamp(seconds: state.now + (request.spec.expirationSeconds ?? 3600)))
                return answer
            }
            guard let answer else { throw APIError(code: .transport(.unreachable), message: "down") }
            return answer
        }
    }

    private let server = FakeServer()

    private func tokens() -> ServiceAccountTokens {
        ServiceAccountTokens(
            server: server, now: { server.now }, random: { 0 },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func key(_ uid: String = "u1", seconds: Int64 = 3600) -> ServiceAccountTokenKey {
        ServiceAccountTokenKey(
            Pod(metadata: ObjectMeta(name: "web", namespace: "ns", uid: uid)),
            ServiceAccountTokenProjection(audience: "vault", expirationSeconds: seconds, path: "token"))
    }

    @Test("a token is asked for once, bound to its pod, and renewed at four fifths of its life")
    func renewal() async throws {
        let tokens = tokens()
        #expect(try await tokens.token(key()) == "t1")
        let asked = try #require(server.state.withLock { $0.asked.first })
        #expect(asked.spec.audiences == ["vault"] && asked.spec.expirationSeconds == 3600)
        #expect(
            asked.spec.boundObjectRef
                == BoundObjectReference(kind: "Pod", apiVersion: "v1", name: "web", uid: "u1"))
        #expect(tokens.secondsUntilRenewal(podUID: "u1") == 2880)
        server.advance(2879)
        #expect(try await tokens.token(key()) == "t1")
        server.advance(1)
        #expect(try await tokens.token(key()) == "t2")
    }

    @Test("the old token serves until it expires while the server is away")
    func away() async throws {
        let tokens = tokens()
        #expect(try await tokens.token(key()) == "t1")
        server.setDown(true)
        server.advance(3599)
        #expect(try await tokens.token(key()) == "t1")
        #expect(tokens.secondsUntilRenewal(podUID: "u1") == 60, "tried again")
        server.advance(1)
        do throws(VolumeError) {
            _ = try await tokens.token(key())
            Issue.record("an expired token was given")
        } catch { #expect(error.code == .sourceUnavailable) }
        server.setDown(false)
        #expect(try await tokens.token(key()) == "t2")
    }

    @Test("pods do not share tokens, and one that is gone leaves none")
    func perPod() async throws {
        let tokens = tokens()
        #expect(try await tokens.token(key("u1")) == "t1")
        #expect(try await tokens.token(key("u2")) == "t2")
        tokens.forget(podUID: "u1")
        #expect(tokens.secondsUntilRenewal(podUID: "u1") == nil)
        #expect(try await tokens.token(key("u2")) == "t2")
        #expect(try await tokens.token(key("u1")) == "t3")
    }

    @Test(
        "renewal is due at four fifths of the life, or after a day, a little earlier for some",
        arguments: [(600, 0.0, 480), (86_400, 0.0, 69_120), (1_000_000, 0.0, 86_400), (1_000_000, 0.5, 86_395)]
            as [(Int64, Double, Int64)])
    func term(life: Int64, jitter: Double, due: Int64) {
        let term = ServiceAccountTokenTerm(token: "t", expiresAt: Timestamp(seconds: 50 + life), lifeSeconds: life)
        #expect(term.secondsUntilRenewal(at: Timestamp(seconds: 50), jitter: jitter) == due)
        #expect(!term.isExpired(at: Timestamp(seconds: 49 + life)))
        #expect(term.isExpired(at: Timestamp(seconds: 50 + life)))
    }
}
