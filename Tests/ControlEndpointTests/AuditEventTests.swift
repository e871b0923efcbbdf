import KubernetesAPI
import NIOCore
import Testing

@testable import ControlEndpoint

struct AuditEventTests {
    private func event(_ method: String, _ target: String, level: AuditLevel = .metadata) -> AuditEvent {
        AuditEvent(
            level: level, stage: .responseComplete, method: method, target: target,
            identity: Identity(name: "alice", groups: ["dev"]), source: "10.0.0.9", userAgent: "kubectl/v1",
            status: 201, received: Timestamp(seconds: 1_800_000_000, nanoseconds: 123_456_789),
            answered: Timestamp(seconds: 1_800_000_001, nanoseconds: 0))
    }

    private func written(_ event: AuditEvent) throws -> JSONValue { try JSONValue(parsing: event.json()) }

    @Test("an event has the fields of audit.k8s.io/v1")
    func fields() throws {
        let value = try written(event("POST", "/apis/apps/v1/namespaces/a/deployments/web/scale?dryRun=All"))
        #expect(value["kind"] == "Event" && value["apiVersion"] == "audit.k8s.io/v1" && value["level"] == "Metadata")
        #expect(value["verb"] == "create" && value["stage"] == "ResponseComplete")
        #expect(value["requestURI"] == "/apis/apps/v1/namespaces/a/deployments/web/scale?dryRun=All")
        #expect(
            value["objectRef"] == [
                "apiGroup": "apps", "apiVersion": "v1", "resource": "deployments", "namespace": "a", "name": "web",
                "subresource": "scale",
            ])
        #expect(value["user"]?["username"] == "alice")
        #expect(value["user"]?["groups"] == .array(["dev", "system:authenticated"]))
        #expect(value["sourceIPs"] == .array(["10.0.0.9"]) && value["responseStatus"]?["code"]?.intValue == 201)
        #expect(value["requestReceivedTimestamp"] == "2027-01-15T08:00:00.123456Z")
        #expect(value["stageTimestamp"] == "2027-01-15T08:00:01.000000Z")
        #expect(value["annotations"]?["authorization.k8s.io/decision"] == "allow")
        #expect((value["auditID"]?.stringValue ?? "").utf8.count == 36 && value["requestObject"] == nil)
    }

    @Test(
        "verbs are the API's, and the method's where no resource is named",
        arguments: [
            ("GET", "/api/v1/pods?watch=true", "watch"), ("GET", "/api/v1/pods", "list"),
            ("GET", "/api/v1/nodes/n", "get"), ("DELETE", "/api/v1/namespaces/a/pods", "deletecollection"),
            ("GET", "/openapi/v3", "get"), ("OPTIONS", "/", "options"),
        ])
    func verbs(method: String, target: String, verb: String) throws {
        #expect(try written(event(method, target))["verb"] == .string(verb))
    }

    @Test("a stranger is anonymous, and nothing was decided about him")
    func stranger() throws {
        var event = event("GET", "/api/v1/secrets")
        event.identity = nil
        event.status = 401
        let value = try written(event)
        #expect(value["user"]?["username"] == "system:anonymous" && value["annotations"] == nil)
    }

    @Test("at level Request the object is told")
    func object() throws {
        var event = event("POST", "/api/v1/namespaces/a/configmaps", level: .request)
        event.body = ByteBuffer(string: #"{"kind":"ConfigMap","data":{"a":"b"}}"#)
        #expect(try written(event)["requestObject"]?["data"] == ["a": "b"])
        event.level = .metadata
        #expect(try written(event)["requestObject"] == nil)
    }

    @Test(
        "no secret is ever told, wherever it is sent",
        arguments: [
            ("POST", "/api/v1/namespaces/a/secrets", #"{"kind":"Secret","data":{"k":"aHVzaA=="}}"#),
            ("PATCH", "/api/v1/namespaces/a/secrets/s", #"{"data":{"k":"aHVzaA=="}}"#),
            ("POST", "/api/v1/namespaces/a/configmaps", #"{"kind":"Secret","data":{"k":"aHVzaA=="}}"#),
            (
                "POST", "/api/v1/namespaces/a/configmaps",
                #"{"kind":"List","items":[{"kind":"Secret","data":{"k":"aHVzaA=="}}]}"#
            ),
            ("POST", "/apis/authentication.k8s.io/v1/tokenreviews", #"{"spec":{"token":"aHVzaA=="}}"#),
            ("POST", "/api/v1/namespaces/a/serviceaccounts/s/token", #"{"spec":{"x":"aHVzaA=="}}"#),
            ("POST", "/api/v1/namespaces/a/configmaps", "kind: Secret\ndata: {k: aHVzaA==}"),
        ])
    func secrets(method: String, target: String, body: String) throws {
        var event = event(method, target, level: .request)
        event.body = ByteBuffer(string: body)
        #expect(!String(decoding: event.json(), as: UTF8.self).contains("aHVzaA=="))
    }

    @Test("a line stays one, and has a limit, whatever is sent")
    func limits() throws {
        var event = event("GET", "/api/v1/pods?" + String(repeating: "x\n\"", count: 10_000))
        event.userAgent = String(repeating: "u", count: 100_000)
        event.hasLargeBody = true
        event.level = .request
        let line = event.json()
        #expect(line.count < 40_000 && !line.contains(UInt8(ascii: "\n")))
    }
}
