import KubernetesAPI
import Testing

@testable import ControlEndpoint

@Suite("Kinds that show what others keep")
struct ResourceViewTests {
    private static let autoscalers = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers"
    private static let newAutoscalers = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"

    @Test("an event is written under one group and read under the other")
    func events() async throws {
        let endpoint = try await EndpointFixture()
        let made = await endpoint.send(
            "POST", "/apis/events.k8s.io/v1/namespaces/default/events",
            [
                "metadata": ["name": "e"], "eventTime": "2027-01-01T00:00:00.000000Z", "note": "as it is",
                "regarding": ["kind": "Pod", "name": "p", "namespace": "default"], "reportingController": "me",
                "reportingInstance": "me-1", "action": "Tell", "reason": "Told", "type": "Normal",
            ])
        #expect(made.status == 201)
        #expect(made.value.string("apiVersion") == "events.k8s.io/v1" && made.value.string("note") == "as it is")
        let old = await endpoint.send("GET", "/api/v1/namespaces/default/events/e")
        #expect(old.value.string("apiVersion") == "v1" && old.value.string("message") == "as it is")
        #expect(old.value.string("involvedObject", "name") == "p" && old.value["regarding"] == nil)
        #expect(old.value.string("reportingComponent") == "me")
        let listed = await endpoint.send(
            "GET", "/apis/events.k8s.io/v1/namespaces/default/events?fieldSelector=regarding.name%3Dp")
        #expect(listed.value.list("items").map { $0.string("note") } == ["as it is"])
        let other = await endpoint.send(
            "GET", "/apis/events.k8s.io/v1/namespaces/default/events?fieldSelector=regarding.name%3Dq")
        #expect(other.value.list("items").isEmpty)
        let gone = await endpoint.send("DELETE", "/apis/events.k8s.io/v1/namespaces/default/events/e")
        #expect(gone.status == 200)
        #expect(await endpoint.send("GET", "/api/v1/namespaces/default/events/e").status == 404)
    }

    @Test("version 1 of an autoscaler changes its one figure and leaves the others alone")
    func autoscaler() async throws {
        let endpoint = try await EndpointFixture()
        let memory: JSONValue = [
            "type": "Resource",
            "resource": ["name": "memory", "target": ["type": "Utilization", "averageUtilization": 60]],
        ]
        let made = await endpoint.send(
            "POST", Self.newAutoscalers,
            [
                "metadata": ["name": "a"],
                "spec": [
                    "scaleTargetRef": ["kind": "Deployment", "name": "web"], "maxReplicas": 3, "metrics": [memory],
                ],
            ])
        #expect(made.status == 201)
        let first = await endpoint.send("GET", Self.autoscalers + "/a")
        #expect(first.value.string("apiVersion") == "autoscaling/v1" && first.value[path: "spec", "metrics"] == nil)
        let changed = await endpoint.send(
            "PATCH", Self.autoscalers + "/a", ["spec": ["targetCPUUtilizationPercentage": 70, "maxReplicas": 5]],
            contentType: "application/merge-patch+json")
        #expect(changed.status == 200)
        #expect(changed.value[path: "spec", "targetCPUUtilizationPercentage"] == 70)
        let second = await endpoint.send("GET", Self.newAutoscalers + "/a").value
        #expect(second[path: "spec", "maxReplicas"] == 5)
        let names = second.list("spec", "metrics").map { $0.string("resource", "name") }
        #expect(names == ["cpu", "memory"])
        let refused = await endpoint.send(
            "PATCH", Self.autoscalers + "/a", ["spec": ["maxReplicas": 0]],
            contentType: "application/merge-patch+json")
        #expect(refused.status == 422)
    }

    @Test("discovery shows each version once, the newest first, and what is kept is kept once")
    func discovery() async throws {
        let endpoint = try await EndpointFixture()
        let groups = await endpoint.send("GET", "/apis").value.list("groups")
        let autoscaling = try #require(groups.first { $0.string("name") == "autoscaling" })
        #expect(autoscaling.list("versions").map { $0.string("version") } == ["v2", "v1"])
        #expect(autoscaling.string("preferredVersion", "version") == "v2")
        let stored = ResourceRegistry().storedResources
        #expect(Set(stored.map(\.id)).count == stored.count)
    }
}
