import KubernetesAPI
import Logging
import Synchronization
import Testing

@testable import NodeServer

/// Answers as it is told, and counts.
private final class Reviewer: AccessReviewer {
    struct Failure: Error {}

    struct World {
        var certificates: [[UInt8]: NodeCaller] = [:]
        var tokens: [String: NodeCaller] = [:]
        /// "user verb subresource"
        var rights: Set<String> = []
        var isDown = false
        var asked: [String] = []
    }

    let world = Mutex(World())

    func caller(certificateDER: [UInt8]) async -> NodeCaller? {
        world.withLock {
            $0.asked.append("certificate")
            return $0.certificates[certificateDER]
        }
    }

    func caller(token: String) async throws -> NodeCaller? {
        try world.withLock {
            $0.asked.append("token \(token)")
            if $0.isDown { throw Failure() }
            return $0.tokens[token]
        }
    }

    func allows(_ caller: NodeCaller, verb: String, subresource: String) async throws -> Bool {
        try world.withLock {
            $0.asked.append("\(caller.name) \(verb) \(subresource)")
            if $0.isDown { throw Failure() }
            return $0.rights.contains("\(caller.name) \(verb) \(subresource)")
        }
    }
}

struct NodeAccessTests {
    private let reviewer = Reviewer()
    private let elapsed = Clock()
    private let access: NodeAccess

    private final class Clock: Sendable {
        let start = ContinuousClock.now
        let seconds = Mutex(Int64(0))
        var value: Int64 { seconds.withLock { $0 } }
    }

    init() { access = Self.make(reviewer, elapsed, .none) }

    private static func make(_ reviewer: Reviewer, _ clock: Clock, _ roles: NodeRoles) -> NodeAccess {
        NodeAccess(
            reviewer: reviewer, roles: roles, logger: Logger(label: "test"),
            now: { clock.start + .seconds(clock.value) }, seconds: { 1000 + clock.value })
    }

    private let metrics = NodeAction(method: "GET", path: "/metrics")

    private func decide(_ action: NodeAction, token: String? = nil, certificate: [UInt8]? = nil) async -> Int {
        await decide(access, action, token: token, certificate: certificate)
    }

    private func decide(
        _ access: NodeAccess, _ action: NodeAction, token: String? = nil, certificate: [UInt8]? = nil
    ) async -> Int {
        switch await access.decide(
            action, certificateDER: certificate, authorization: token.map { "Bearer \($0)" })
        {
        case .allowed: 200
        case .refused(let status, _): status
        }
    }

    private var asked: [String] { reviewer.world.withLock { $0.asked } }

    @Test("without a certificate or a token nobody is asked, and nothing is served")
    func anonymous() async {
        #expect(await decide(metrics) == 401)
        for header in [
            "", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b", "Bearer " + String(repeating: "x", count: 16 << 10),
        ] {
            guard case .refused(401, _) = await access.decide(metrics, certificateDER: nil, authorization: header)
            else {
                Issue.record("not refused: \(header.prefix(20))")
                continue
            }
        }
        #expect(asked.isEmpty)
    }

    @Test("a token is reviewed once in two minutes, a right once in five")
    func caching() async {
        reviewer.world.withLock {
            $0.tokens["t"] = NodeCaller(name: "prometheus")
            $0.rights = ["prometheus get metrics"]
        }
        for _ in 0..<3 { #expect(await decide(metrics, token: "t") == 200) }
        #expect(asked == ["token t", "prometheus get metrics"])
        elapsed.seconds.withLock { $0 = 121 }
        #expect(await decide(metrics, token: "t") == 200)
        #expect(asked == ["token t", "prometheus get metrics", "token t"])
        // Rights that are taken away are so after five minutes at the latest.
        reviewer.world.withLock { $0.rights = [] }
        elapsed.seconds.withLock { $0 = 301 }
        #expect(await decide(metrics, token: "t") == 403)
    }

    @Test("a refusal holds for thirty seconds, and a token that is nobody's is not asked about again at once")
    func refusals() async {
        reviewer.world.withLock { $0.tokens["t"] = NodeCaller(name: "curious") }
        #expect(await decide(metrics, token: "t") == 403)
        #expect(await decide(metrics, token: "bad") == 401)
        reviewer.world.withLock { $0.rights = ["curious get metrics"] }
        elapsed.seconds.withLock { $0 = 29 }
        #expect(await decide(metrics, token: "t") == 403)
        #expect(await decide(metrics, token: "bad") == 401)
        #expect(asked == ["token t", "curious get metrics", "token bad"])
        elapsed.seconds.withLock { $0 = 31 }
        #expect(await decide(metrics, token: "t") == 200)
    }

    @Test("the right to everything opens the finer paths too, and a finer right only its own")
    func subresources() async {
        reviewer.world.withLock {
            $0.tokens = ["all": NodeCaller(name: "all"), "pods": NodeCaller(name: "pods")]
            $0.rights = ["all get proxy", "pods get pods"]
        }
        let (pods, logs) = (
            NodeAction(method: "GET", path: "/pods"), NodeAction(method: "GET", path: "/containerLogs/a/b/c")
        )
        #expect(await decide(pods, token: "all") == 200)
        #expect(await decide(pods, token: "pods") == 200)
        #expect(await decide(logs, token: "all") == 200)
        #expect(await decide(logs, token: "pods") == 403)
        // Reading is not running.
        #expect(await decide(NodeAction(method: "GET", path: "/exec/a/b/c"), token: "all") == 403)
        #expect(await decide(NodeAction(method: "OPTIONS", path: "/pods"), token: "all") == 405)
    }

    @Test("while the API server does not answer nobody gets in but those who were let in before")
    func outage() async {
        reviewer.world.withLock {
            $0.tokens = ["t": NodeCaller(name: "prometheus")]
            $0.certificates = [[1]: NodeCaller(name: "somebody")]
            $0.rights = ["prometheus get metrics"]
        }
        #expect(await decide(metrics, token: "t") == 200)
        reviewer.world.withLock { $0.isDown = true }
        #expect(await decide(metrics, token: "t") == 200)
        #expect(await decide(metrics, token: "other") == 401)
        #expect(await decide(metrics, certificate: [1]) == 500)
        // What could not be told is not kept.
        reviewer.world.withLock {
            $0.isDown = false
            $0.rights = ["somebody get metrics"]
        }
        #expect(await decide(metrics, certificate: [1]) == 200)
    }

    @Test("a certificate proves nothing after its end, and then a token may")
    func expiry() async {
        reviewer.world.withLock {
            $0.certificates = [[1]: NodeCaller(name: "short", expiry: 1010)]
            $0.tokens = ["t": NodeCaller(name: "short")]
            $0.rights = ["short get metrics"]
        }
        #expect(await decide(metrics, certificate: [1]) == 200)
        elapsed.seconds.withLock { $0 = 11 }
        #expect(await decide(metrics, certificate: [1]) == 401)
        #expect(await decide(metrics, token: "t", certificate: [1]) == 200)
        #expect(await decide(metrics, certificate: [2]) == 401)
    }

    @Test(
        "of a node alone masters may everything and monitoring its reads, without a question; joined they ask as all do"
    )
    func roles() async {
        reviewer.world.withLock {
            $0.certificates = [
                [1]: NodeCaller(name: "admin", groups: ["system:masters"]),
                [2]: NodeCaller(name: "monitor", groups: ["system:monitoring"]),
            ]
        }
        let alone = Self.make(reviewer, elapsed, .alone)
        let run = NodeAction(method: "POST", path: "/exec/a/b/c")
        #expect(await decide(alone, run, certificate: [1]) == 200)
        #expect(await decide(alone, metrics, certificate: [2]) == 200)
        #expect(await decide(alone, NodeAction(method: "GET", path: "/stats/summary"), certificate: [2]) == 200)
        #expect(asked == ["certificate", "certificate"])
        #expect(await decide(alone, run, certificate: [2]) == 403)
        #expect(await decide(alone, NodeAction(method: "GET", path: "/pods"), certificate: [2]) == 403)
        #expect(await decide(run, certificate: [1]) == 403)
    }

    @Test("the question to the API server has the node, the verb and all that is known of the caller")
    func question() {
        let caller = NodeCaller(name: "a", uid: "u", groups: ["g"], extra: ["k": ["v"]])
        let spec = APIAccessReviewer.question(caller, verb: "get", subresource: "stats", nodeName: "n")
        #expect(spec.user == "a" && spec.uid == "u" && spec.extra == ["k": ["v"]])
        #expect(spec.groups == ["g", "system:authenticated"])
        let asked = spec.resourceAttributes
        #expect(asked?.resource == "nodes" && asked?.subresource == "stats" && asked?.name == "n")
        #expect(asked?.verb == "get" && asked?.version == "v1" && asked?.namespace == nil && asked?.group == nil)
    }

    @Test("only a review that says so makes a caller")
    func review() {
        let user = UserInfo(username: "a", uid: "u", groups: ["g"])
        #expect(
            APIAccessReviewer.caller(TokenReviewStatus(authenticated: true, user: user))
                == NodeCaller(name: "a", uid: "u", groups: ["g"]))
        for status in [
            nil, TokenReviewStatus(user: user), TokenReviewStatus(authenticated: false, user: user),
            TokenReviewStatus(authenticated: true),
            TokenReviewStatus(authenticated: true, user: UserInfo(username: "")),
        ] {
            #expect(APIAccessReviewer.caller(status) == nil)
        }
    }
}
