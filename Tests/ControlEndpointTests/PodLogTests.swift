import KubernetesAPI
import NIOCore
import Synchronization
import Testing

@testable import ControlEndpoint

@Suite("Logs over the API", .timeLimit(.minutes(5)))
struct PodLogTests {
    /// Gives the same two parts for every container and remembers what it was asked.
    final class Source: PodLogSource {
        let asked = Mutex<[(String, PodLogOptions)]>([])
        let failure: PodLogError?

        init(failure: PodLogError? = nil) { self.failure = failure }

        func logs(
            pod: Pod, container: String, options: PodLogOptions
        ) async throws -> AsyncThrowingStream<ByteBuffer, any Error> {
            asked.withLock { $0.append((container, options)) }
            if let failure { throw failure }
            return AsyncThrowingStream { continuation in
                continuation.yield(ByteBuffer(string: "one\n"))
                continuation.yield(ByteBuffer(string: "two\n"))
                if !options.follow { continuation.finish() }
            }
        }
    }

    private static let pods = "/api/v1/namespaces/default/pods"

    private func endpoint(_ source: Source, containers: [String] = ["main"]) async throws -> EndpointFixture {
        let endpoint = try await EndpointFixture(logSource: source)
        var pod = EndpointFixture.pod("p", nodeName: "n1")
        pod.set(.array(containers.map { ["name": .string($0), "image": "host:///"] }), at: "spec", "containers")
        try await endpoint.create(Self.pods, pod)
        return endpoint
    }

    @Test("the log of the only container comes as text, with every option passed on")
    func options() async throws {
        let source = Source()
        let endpoint = try await endpoint(source)
        let query = "?previous=false&timestamps=true&tailLines=5&sinceTime=2026-01-01T00:00:00Z&limitBytes=99"
        let answer = await endpoint.send("GET", Self.pods + "/p/log" + query)
        #expect(answer.status == 200 && answer.contentType == "text/plain" && answer.text == "one\ntwo\n")
        let asked = source.asked.withLock { $0 }
        #expect(asked.map(\.0) == ["main"])
        let expected = PodLogOptions(
            timestamps: true, tailLines: 5, sinceTime: Timestamp(rfc3339: "2026-01-01T00:00:00Z"), limitBytes: 99)
        #expect(asked.map(\.1) == [expected])
    }

    @Test("a pod of several containers needs a name, and a wrong one is told")
    func containerNames() async throws {
        let endpoint = try await endpoint(Source(), containers: ["a", "b"])
        let unnamed = await endpoint.send("GET", Self.pods + "/p/log")
        #expect(unnamed.status == 400)
        #expect(
            unnamed.value.string("message") == "a container name must be specified for pod p, choose one of: [a b]")
        let wrong = await endpoint.send("GET", Self.pods + "/p/log?container=c")
        #expect(wrong.value.string("message") == "container c is not valid for pod p")
        #expect(await endpoint.send("GET", Self.pods + "/p/log?container=b").status == 200)
        #expect(await endpoint.send("GET", Self.pods + "/q/log").status == 404)
    }

    @Test("a container that waits, or has no previous instance, is told in Kubernetes' words")
    func notStarted() async throws {
        let endpoint = try await endpoint(Source())
        let status: JSONValue = [
            "status": [
                "containerStatuses": [
                    [
                        "name": "main", "image": "", "imageID": "", "ready": false, "restartCount": 0,
                        "state": ["waiting": ["reason": "ContainerCreating"]],
                    ]
                ]
            ]
        ]
        let written = await endpoint.send(
            "PATCH", Self.pods + "/p/status", status, contentType: "application/merge-patch+json")
        try #require(written.status == 200, "\(written.value)")
        let waiting = await endpoint.send("GET", Self.pods + "/p/log")
        #expect(
            waiting.value.string("message") == "container \"main\" in pod \"p\" is waiting to start: ContainerCreating")
        let previous = await endpoint.send("GET", Self.pods + "/p/log?previous=true")
        #expect(previous.status == 400)
        #expect(previous.value.string("message") == "previous terminated container \"main\" in pod \"p\" not found")
        _ = await endpoint.send(
            "PATCH", Self.pods + "/p/status",
            ["status": ["phase": "Failed", "reason": "NodePolicy", "message": "not here"]],
            contentType: "application/merge-patch+json")
        let rejected = await endpoint.send("GET", Self.pods + "/p/log")
        #expect(
            rejected.value.string("message")
                == "container \"main\" in pod \"p\" never started: NodePolicy: not here")
    }

    @Test(
        "options that make no sense are refused with their fields",
        arguments: ["tailLines=-1", "limitBytes=0", "sinceSeconds=0"])
    func badOptions(query: String) async throws {
        let endpoint = try await endpoint(Source())
        let answer = await endpoint.send("GET", Self.pods + "/p/log?" + query)
        #expect(answer.status == 422)
        let field = answer.value[path: "details", "causes"]?[0]?.string("field")
        #expect(field == query.split(separator: "=").first.map(String.init))
        #expect(await endpoint.send("GET", Self.pods + "/p/log?sinceTime=yesterday").status == 400)
    }

    @Test("what the node says is passed on with its kind of failure")
    func failures() async throws {
        let endpoint = try await endpoint(Source(failure: .unavailable("node n1 does not answer")))
        let answer = await endpoint.send("GET", Self.pods + "/p/log")
        #expect(answer.status == 503)
        #expect(answer.value.string("message") == "node n1 does not answer")
    }

    @Test("a client that leaves a followed log ends it")
    func followUntilGone() async throws {
        let endpoint = try await endpoint(Source())
        var request = APIRequest(method: "GET", target: Self.pods + "/p/log?follow=true")
        request.accept = "*/*"
        let response = await endpoint.api.respond(to: request, identity: EndpointFixture.admin)
        guard case .stream(let stream) = response.body else { return #expect(Bool(false), "no stream") }
        let handlers = Mutex<[@Sendable () -> Void]>([])
        let text = Mutex("")
        let client = StreamClient(
            write: { part in
                let all = text.withLock { text in
                    text += String(buffer: part)
                    return text
                }
                // The whole log has arrived: now the client goes, and the stream must end by itself.
                if all == "one\ntwo\n" { for handler in handlers.withLock({ $0 }) { handler() } }
            }, onGone: { handler in handlers.withLock { $0.append(handler) } })
        try await stream(client)
        #expect(text.withLock { $0 } == "one\ntwo\n")
    }
}
