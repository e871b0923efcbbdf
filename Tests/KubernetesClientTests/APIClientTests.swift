import KubernetesAPI
import Logging
import NIOSSL
import Synchronization
import Testing

@testable import KubernetesClient

@Suite("API client over loopback", .timeLimit(.minutes(5)))
struct APIClientTests {
    typealias Request = FakeAPIServer.Request
    typealias Answer = FakeAPIServer.Answer

    /// Runs `body` with a client of a server that answers as told.
    private func with<Result: Sendable>(
        timeout: Duration = .seconds(30), token: BearerToken? = nil, answer: @escaping @Sendable (Request) -> Answer,
        _ body: (APIClient, FakeAPIServer) async throws -> Result
    ) async throws -> Result {
        try await FakeAPIServer.with(answer: answer) { server in
            let address = try ServerAddress(parsing: "http://127.0.0.1:\(server.port)")
            let configuration = APIClientConfiguration(server: address, bearerToken: token, requestTimeout: timeout)
            let client = try APIClient(configuration: configuration, logger: .silent)
            do {
                let result = try await body(client, server)
                await client.shutdown()
                return result
            } catch {
                await client.shutdown()
                throw error
            }
        }
    }

    private func failure(_ answer: Answer, timeout: Duration = .seconds(30)) async throws -> APIError {
        try await with(timeout: timeout, answer: { _ in answer }) { client, _ in
            try await #require(throws: APIError.self) {
                _ = try await client.get(ConfigMap.self, namespace: "ns", name: "a")
            }
        }
    }

    @Test("an object is read from its path, unknown fields and all, with token and user agent")
    func get() async throws {
        try await with(token: .fixed("secret"), answer: { _ in .json(configMapJSON("a", version: "7")) }) {
            client, server in
            let object = try await client.get(ConfigMap.self, namespace: "ns", name: "a")
            #expect(object.metadata.resourceVersion == "7")
            let request = try #require(server.requests.first)
            #expect(request.method == "GET")
            #expect(request.path == "/api/v1/namespaces/ns/configmaps/a")
            #expect(request.headers["authorization"] == "Bearer secret")
            #expect(request.headers["user-agent"] == "swiftlet")
            #expect(request.headers["host"] == "127.0.0.1:\(server.port)")
        }
    }

    @Test("writes go to the right path with the right method, type and body")
    func writes() async throws {
        try await with(answer: { _ in .json(configMapJSON("a", version: "7")) }) { client, server in
            let object = configMap("a", version: "6")
            _ = try await client.create(object)
            _ = try await client.update(object)
            _ = try await client.updateStatus(object)
            _ = try await client.patch(
                ConfigMap.self, namespace: "ns", name: "a", subresource: "status", type: .strategicMerge,
                body: ["data": ["x": "y"]])
            try await client.delete(
                ConfigMap.self, namespace: "ns", name: "a",
                options: DeleteOptions(gracePeriodSeconds: 0, preconditions: Preconditions(uid: "u1")))
            try await client.bind(podNamespace: "ns", podName: "p", uid: "u2", nodeName: "n1")
            let base = "/api/v1/namespaces/ns"
            #expect(
                server.requests.map { "\($0.method) \($0.path)" } == [
                    "POST \(base)/configmaps", "PUT \(base)/configmaps/a", "PUT \(base)/configmaps/a/status",
                    "PATCH \(base)/configmaps/a/status", "DELETE \(base)/configmaps/a", "POST \(base)/pods/p/binding",
                ])
            let patch = server.requests[3]
            #expect(patch.headers["content-type"] == "application/strategic-merge-patch+json")
            #expect(patch.body == #"{"data":{"x":"y"}}"#)
            let deletion = try JSONValue(parsing: Array(server.requests[4].body.utf8))
            #expect(deletion["gracePeriodSeconds"] == 0)
            #expect(deletion[path: "preconditions", "uid"] == "u1")
            let binding = try JSONValue(parsing: Array(server.requests[5].body.utf8))
            #expect(binding["kind"] == "Binding")
            #expect(binding[path: "metadata", "uid"] == "u2")
            #expect(binding["target"] == ["apiVersion": "v1", "kind": "Node", "name": "n1"])
        }
    }

    @Test("an object without name or namespace is refused before anything is sent")
    func incomplete() async throws {
        try await with(answer: { _ in .json("{}") }) { client, server in
            let nameless = ConfigMap(metadata: ObjectMeta(namespace: "ns"))
            let first = await #expect(throws: APIError.self) { try await client.update(nameless) }
            #expect(first?.code == .transport(.invalidRequest))
            await #expect(throws: APIError.self) { try await client.create(ConfigMap(metadata: ObjectMeta(name: "a"))) }
            #expect(server.requests.isEmpty)
        }
    }

    @Test("a Status becomes an error with reason, causes and the time to wait")
    func status() async throws {
        let body = """
            {"kind":"Status","apiVersion":"v1","status":"Failure","message":"m","reason":"Invalid","code":422,
            "details":{"causes":[{"reason":"FieldValueRequired","message":"Required value","field":"spec.x"}],
            "retryAfterSeconds":3}}
            """
        let error = try await failure(.json(body, status: 422))
        #expect(error.isInvalid)
        #expect(error.reason == .invalid)
        #expect(error.message == "m")
        #expect(error.retryAfterSeconds == 3)
        #expect(error.causes == [.init(reason: "FieldValueRequired", message: "Required value", field: "spec.x")])
        #expect(error.description == "GET /api/v1/namespaces/ns/configmaps/a: HTTP 422 Invalid: m")
    }

    @Test(
        "the Retry-After header is read, a date in it is not", arguments: zip(["12", "Wed, 21 Oct 2015"], [12, nil]))
    func retryAfter(header: String, seconds: Int?) async throws {
        let error = try await failure(
            Answer(status: 429, headers: ["retry-after": header], steps: [.chunk("slow down\u{1}")]))
        #expect(error.reason == .tooManyRequests)
        #expect(error.isRetryable)
        #expect(error.message == "slow down ")
        #expect(error.retryAfterSeconds == seconds)
    }

    @Test("a redirect is refused and not followed")
    func redirect() async throws {
        let answer = Answer(status: 302, headers: ["location": "https://elsewhere.invalid/"])
        let error = try await failure(answer)
        #expect(error.httpStatus == 302)
        #expect(error.message.contains("https://elsewhere.invalid/"))
    }

    @Test(
        "an answer that is not what was asked for is malformed",
        arguments: [
            Answer(headers: ["content-type": "text/html"], steps: [.chunk("<html>login</html>")]),
            .json(#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"#),
            .json(""),
            .json(#"{"metadata":[]}"#),
            Answer(headers: ["content-encoding": "gzip"], steps: [.chunk("\u{1f}garbage")]),
        ])
    func malformed(answer: Answer) async throws {
        let error = try await failure(answer)
        #expect(error.code == .transport(.malformedResponse))
    }

    @Test("an answer that breaks off is a lost connection")
    func broken() async throws {
        let error = try await failure(Answer(steps: [.chunk(#"{"apiVer"#), .abort]))
        #expect(error.code == .transport(.connectionLost))
        #expect(error.isRetryable)
    }

    @Test("an answer that never ends times out", arguments: [[], [FakeAPIServer.Step.chunk("{")]])
    func slow(steps: [FakeAPIServer.Step]) async throws {
        let error = try await failure(Answer(steps: steps + [.hang]), timeout: .milliseconds(200))
        #expect(error.code == .transport(.timedOut))
    }

    @Test("a server that is not there is unreachable")
    func unreachable() async throws {
        let port = try await FakeAPIServer.with(answer: { _ in .json("{}") }) { $0.port }
        let address = try ServerAddress(parsing: "http://127.0.0.1:\(port)")
        let configuration = APIClientConfiguration(server: address, connectTimeout: .milliseconds(500))
        let client = try APIClient(configuration: configuration, logger: .silent)
        let error = await #expect(throws: APIError.self) { try await client.get(Node.self, name: "n") }
        #expect(error?.code == .transport(.unreachable))
        await client.shutdown()
        let after = await #expect(throws: APIError.self) { try await client.get(Node.self, name: "n") }
        #expect(after?.code == .transport(.clientShutDown))
    }

    @Test("a lost connection, then an answer: the server is back; refusals tell nothing of that")
    func reachability() async throws {
        let answers = Mutex([Answer(steps: [.abort]), .json("{}", status: 503), .json("{}", status: 404)])
        try await with(answer: { _ in answers.withLock { $0.removeFirst() } }) { client, _ in
            let first = client.reachability.generation
            for expected in [false, false, true] {
                await #expect(throws: APIError.self) { try await client.get(Node.self, name: "n") }
                #expect((client.reachability.generation != first) == expected)
            }
        }
    }

    @Test("a cancelled request says so")
    func cancelled() async throws {
        try await with(answer: { _ in Answer(steps: [.hang]) }) { client, _ in
            let error = await withTaskGroup(of: APIError?.self) { group in
                group.addTask {
                    do throws(APIError) {
                        _ = try await client.get(Node.self, name: "n")
                        return nil
                    } catch {
                        return error
                    }
                }
                group.cancelAll()
                return await group.next() ?? nil
            }
            #expect(error?.isCancelled == true)
        }
    }

    @Test("a list is read page by page and complete")
    func pages() async throws {
        let answer: @Sendable (Request) -> Answer = { request in
            let (name, token) = request.query["continue"] == nil ? ("a", "next%2F") : ("b", "")
            return .json(
                #"{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"40","#
                    + #""continue":"\#(token)"},"items":[\#(configMapJSON(name, version: "1"))]}"#)
        }
        try await with(answer: answer) { client, server in
            let list = try await client.list(ConfigMap.self, labelSelector: "a in (b,c)", resourceVersion: "0")
            #expect(list.items.map(\.metadata.name) == ["a", "b"])
            #expect(list.resourceVersion == "40")
            #expect(server.requests[0].path == "/api/v1/configmaps")
            #expect(
                server.requests[0].query == [
                    "labelSelector": "a%20in%20%28b%2Cc%29", "limit": "500", "resourceVersion": "0",
                ])
            #expect(server.requests[1].query["continue"] == "next%252F")
            #expect(server.requests[1].query["resourceVersion"] == nil)
        }
    }

    @Test("a failing second page fails the list; a token that repeats ends it")
    func partialList() async throws {
        let page = #"{"kind":"ConfigMapList","metadata":{"resourceVersion":"4","continue":"t"},"items":[]}"#
        let answer: @Sendable (Request) -> Answer = { request in
            request.query["continue"] == nil
                ? .json(page) : .json(#"{"kind":"Status","code":410,"reason":"Expired"}"#, status: 410)
        }
        try await with(answer: answer) { client, _ in
            let error = await #expect(throws: APIError.self) { try await client.list(ConfigMap.self) }
            #expect(error?.isExpired == true)
        }
        try await with(answer: { _ in .json(page) }) { client, server in
            let error = await #expect(throws: APIError.self) { try await client.list(ConfigMap.self) }
            #expect(error?.code == .transport(.malformedResponse))
            #expect(server.requests.count == 2)
        }
    }

    @Test("a bad item does not spoil the list")
    func badItem() async throws {
        let body = """
            {"kind":"ConfigMapList","metadata":{"resourceVersion":"40"},"items":[
            {"metadata":{"name":"bad","namespace":"ns","uid":"u9","resourceVersion":"3"},"data":{"k":7}},
            \(configMapJSON("good", version: "1")), {"metadata":{}}, null]}
            """
        try await with(answer: { _ in .json(body) }) { client, _ in
            let list = try await client.list(ConfigMap.self)
            #expect(list.items.map(\.metadata.name) == ["good"])
            #expect(list.undecodable.map(\.key) == [ObjectKey(namespace: "ns", name: "bad"), nil, nil])
            #expect(list.undecodable.first?.uid == "u9")
        }
    }

    @Test("what is no list is not taken for an empty one", arguments: ["{}", #"{"kind":"Status","metadata":{}}"#])
    func notAList(body: String) async throws {
        try await with(answer: { _ in .json(body) }) { client, _ in
            let error = await #expect(throws: APIError.self) { try await client.list(ConfigMap.self) }
            #expect(error?.code == .transport(.malformedResponse))
        }
    }

    private func watched(_ steps: [FakeAPIServer.Step]) async throws -> (events: [String], error: APIError?) {
        try await with(answer: { _ in Answer(steps: steps) }) { client, _ in
            var events: [String] = []
            do {
                for try await event in client.watch(ConfigMap.self, resourceVersion: "5") {
                    switch event {
                    case .added(let object): events.append("added \(object.metadata.name ?? "")")
                    case .modified(let object): events.append("modified \(object.metadata.name ?? "")")
                    case .deleted(let object): events.append("deleted \(object.metadata.name ?? "")")
                    case .bookmark(let version): events.append("bookmark \(version)")
                    case .undecodable(let object, let change):
                        events.append("unreadable \(change.rawValue) \(object.key?.name ?? "?")")
                    }
                }
                return (events, nil)
            } catch {
                return (events, error as? APIError)
            }
        }
    }

    private func line(_ type: String, _ name: String) -> String {
        #"{"type":"\#(type)","object":\#(configMapJSON(name, version: "6"))}"# + "\n"
    }

    @Test("a watch tells every kind of event, cut anywhere, and ends when the server ends it")
    func watch() async throws {
        let text =
            line("ADDED", "a") + line("MODIFIED", "a")
            + #"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}"# + "\n"
            + #"{"type":"MODIFIED","object":{"metadata":{"name":"bad"},"data":[]}}"# + "\n" + line("DELETED", "a")
        let middle = text.index(text.startIndex, offsetBy: text.count / 2)
        let (events, error) = try await watched([.chunk(String(text[..<middle])), .chunk(String(text[middle...]))])
        #expect(events == ["added a", "modified a", "bookmark 9", "unreadable modified bad", "deleted a"])
        #expect(error == nil)
    }

    @Test("an ERROR event is the server's error")
    func watchError() async throws {
        let status = #"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"old"}}"#
        let (events, error) = try await watched([.chunk(line("ADDED", "a") + status + "\n")])
        #expect(events == ["added a"])
        #expect(error?.isExpired == true)
    }

    @Test(
        "a watch that breaks off, or says what is no event, tells what came before and then fails",
        arguments: [
            (#"{"type":"ADDED","object":{"#, APIError.TransportFailure.connectionLost),
            ("<html>\n", .malformedResponse), ("{}\n", .malformedResponse),
            (#"{"type":"SHOUTED","object":{}}"# + "\n", .malformedResponse),
            ("\u{1f}\u{8}garbage\n", .malformedResponse),
        ])
    func watchBreaks(tail: String, failure: APIError.TransportFailure) async throws {
        let (events, error) = try await watched([.chunk(line("ADDED", "a") + tail)])
        #expect(events == ["added a"])
        #expect(error?.code == .transport(failure))
    }

    @Test("a watch line of more than 4 MiB is refused")
    func watchLineTooLong() async throws {
        let chunk = String(repeating: "x", count: 1024 * 1024)
        let (_, error) = try await watched(Array(repeating: .chunk(chunk), count: 5))
        #expect(error?.code == .transport(.bodyTooLarge))
    }

    @Test("a watch asks for its version, its end and bookmarks; cancelling its reader ends it")
    func watchCancelled() async throws {
        try await with(answer: { _ in Answer(steps: [.chunk(line("ADDED", "a")), .hang]) }) { client, server in
            let (seen, report) = AsyncStream<Void>.makeStream()
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    do {
                        for try await _ in client.watch(
                            ConfigMap.self, fieldSelector: "metadata.name=a", resourceVersion: "5", timeoutSeconds: 77)
                        { report.yield() }
                    } catch {}
                    report.finish()
                }
                var iterator = seen.makeAsyncIterator()
                await iterator.next()
                group.cancelAll()
            }
            #expect(
                server.requests.first?.query == [
                    "watch": "true", "resourceVersion": "5", "timeoutSeconds": "77", "allowWatchBookmarks": "true",
                    "fieldSelector": "metadata.name%3Da",
                ])
        }
    }

    @Test("a stream hands over the bytes as they are")
    func stream() async throws {
        try await with(answer: { _ in Answer(headers: [:], steps: [.chunk("log "), .chunk("line\n")]) }) { client, _ in
            var bytes: [UInt8] = []
            for try await chunk in client.stream(APIRequest(.get, "/log", accept: "*/*")) { bytes += chunk }
            #expect(String(decoding: bytes, as: UTF8.self) == "log line\n")
        }
    }
}
