import KubernetesAPI
import Logging
import Testing

@testable import ControlEndpoint

@Suite("Deleting over the API")
struct EndpointAPIDeleteTests {
    private static let pods = "/api/v1/namespaces/default/pods"
    private static let configMaps = "/api/v1/namespaces/default/configmaps"

    @Test("a bound pod is marked, and goes only when its node deletes it with grace 0 and its UID")
    func gracefulDelete() async throws {
        let endpoint = try await EndpointFixture()
        let pod = try await endpoint.create(Self.pods, EndpointFixture.pod("p", nodeName: "n1"))
        let marked = await endpoint.send("DELETE", Self.pods + "/p")
        #expect(marked.status == 200)
        #expect(marked.value[path: "metadata", "deletionGracePeriodSeconds"]?.intValue == 30)
        let due = Timestamp(seconds: endpoint.clock.now.seconds + 30, nanoseconds: 0)
        #expect(marked.value.string("metadata", "deletionTimestamp") == due.rfc3339)
        #expect(marked.value[path: "metadata", "generation"]?.intValue == 2)
        let wrong: JSONValue = ["gracePeriodSeconds": 0, "preconditions": ["uid": "another"]]
        #expect(await endpoint.send("DELETE", Self.pods + "/p", wrong, as: EndpointFixture.node).status == 409)
        let final: JSONValue = [
            "gracePeriodSeconds": 0, "preconditions": ["uid": .string(pod.string("metadata", "uid"))],
        ]
        #expect(await endpoint.send("DELETE", Self.pods + "/p", final, as: EndpointFixture.node).status == 200)
        #expect(await endpoint.send("GET", Self.pods + "/p").status == 404)
    }

    @Test("a second delete can only shorten the grace, counted from the first request")
    func shorten() async throws {
        let endpoint = try await EndpointFixture()
        try await endpoint.create(Self.pods, EndpointFixture.pod("p", nodeName: "n1"))
        let start = endpoint.clock.now.seconds
        _ = await endpoint.send("DELETE", Self.pods + "/p")
        endpoint.clock.advance(5)
        let longer = await endpoint.send("DELETE", Self.pods + "/p?gracePeriodSeconds=60")
        #expect(longer.value[path: "metadata", "deletionGracePeriodSeconds"]?.intValue == 30)
        let silent = await endpoint.send("DELETE", Self.pods + "/p")
        #expect(silent.value == longer.value)
        let shorter = await endpoint.send("DELETE", Self.pods + "/p?gracePeriodSeconds=10")
        #expect(shorter.value[path: "metadata", "deletionGracePeriodSeconds"]?.intValue == 10)
        let due = Timestamp(seconds: start + 10, nanoseconds: 0).rfc3339
        #expect(shorter.value.string("metadata", "deletionTimestamp") == due)
        let negative = await endpoint.send("DELETE", Self.pods + "/p?gracePeriodSeconds=-5")
        #expect(negative.value[path: "metadata", "deletionGracePeriodSeconds"]?.intValue == 1)
    }

    @Test("the mark is a new generation, a shorter grace is not")
    func generation() async throws {
        let endpoint = try await EndpointFixture()
        try await endpoint.create(Self.pods, EndpointFixture.pod("p", nodeName: "n1"))
        let marked = await endpoint.send("DELETE", Self.pods + "/p")
        #expect(marked.value[path: "metadata", "generation"]?.intValue == 2)
        let shorter = await endpoint.send("DELETE", Self.pods + "/p", ["gracePeriodSeconds": 1])
        #expect(shorter.value[path: "metadata", "deletionGracePeriodSeconds"]?.intValue == 1)
        #expect(shorter.value[path: "metadata", "generation"]?.intValue == 2)
    }

    @Test("a negative grace is one second, the spec's own grace is the default, and zero removes a leaving pod at once")
    func graces() async throws {
        let endpoint = try await EndpointFixture()
        var pod = EndpointFixture.pod("p", nodeName: "n1")
        pod.set(7, at: "spec", "terminationGracePeriodSeconds")
        try await endpoint.create(Self.pods, pod)
        let marked = await endpoint.send("DELETE", Self.pods + "/p")
        #expect(marked.value[path: "metadata", "deletionGracePeriodSeconds"]?.intValue == 7)
        #expect(await endpoint.send("DELETE", Self.pods + "/p", ["gracePeriodSeconds": 0]).status == 200)
        #expect(await endpoint.send("GET", Self.pods + "/p").status == 404)
        try await endpoint.create(Self.pods, EndpointFixture.pod("q", nodeName: "n1"))
        let negative = await endpoint.send("DELETE", Self.pods + "/q", ["gracePeriodSeconds": -9])
        #expect(negative.value[path: "metadata", "deletionGracePeriodSeconds"]?.intValue == 1)
    }

    @Test("a leaving pod that has ended meanwhile goes only when its node says so")
    func endedWhileLeaving() async throws {
        let endpoint = try await EndpointFixture()
        try await endpoint.create(Self.pods, EndpointFixture.pod("p", nodeName: "n1"))
        _ = await endpoint.send("DELETE", Self.pods + "/p")
        _ = await endpoint.send(
            "PATCH", Self.pods + "/p/status", ["status": ["phase": "Failed"]],
            contentType: "application/merge-patch+json")
        #expect(await endpoint.send("DELETE", Self.pods + "/p").status == 200)
        #expect(await endpoint.send("GET", Self.pods + "/p").status == 200)
        let final: JSONValue = ["gracePeriodSeconds": 0]
        #expect(await endpoint.send("DELETE", Self.pods + "/p", final, as: EndpointFixture.node).status == 200)
        #expect(await endpoint.send("GET", Self.pods + "/p").status == 404)
    }

    @Test("a finalizer holds a pod that its node is done with, whoever deletes it again")
    func podWithFinalizer() async throws {
        let endpoint = try await EndpointFixture()
        var pod = EndpointFixture.pod("p", nodeName: "n1")
        pod.set(["example.com/hold"], at: "metadata", "finalizers")
        try await endpoint.create(Self.pods, pod)
        _ = await endpoint.send("DELETE", Self.pods + "/p")
        for _ in 0..<2 {
            let held = await endpoint.send("DELETE", Self.pods + "/p", ["gracePeriodSeconds": 0])
            #expect(held.value[path: "metadata", "deletionGracePeriodSeconds"]?.intValue == 0)
            #expect(held.value[path: "metadata", "generation"]?.intValue == 2)
        }
        _ = await endpoint.send(
            "PATCH", Self.pods + "/p", ["metadata": ["finalizers": nil]], contentType: "application/merge-patch+json")
        #expect(await endpoint.send("GET", Self.pods + "/p").status == 404)
    }

    @Test("an absurd grace ends at the latest time there is, rather than overflowing")
    func overflow() async throws {
        let endpoint = try await EndpointFixture()
        try await endpoint.create(Self.pods, EndpointFixture.pod("p", nodeName: "n1"))
        let answer = await endpoint.send("DELETE", Self.pods + "/p?gracePeriodSeconds=\(Int64.max)")
        #expect(answer.status == 200)
        #expect(answer.value[path: "metadata", "deletionTimestamp"]?.stringValue?.hasPrefix("9999-12-31") == true)
    }

    @Test(
        "a pod without a node, one that has ended and one with grace 0 go at once",
        arguments: ["unbound", "ended", "zero"])
    func immediate(state: String) async throws {
        let endpoint = try await EndpointFixture()
        try await endpoint.create(Self.pods, EndpointFixture.pod("p", nodeName: state == "unbound" ? nil : "n1"))
        if state == "ended" {
            let status: JSONValue = ["status": ["phase": "Succeeded"]]
            _ = await endpoint.send(
                "PATCH", Self.pods + "/p/status", status, contentType: "application/merge-patch+json")
        }
        let query = state == "zero" ? "?gracePeriodSeconds=0" : ""
        #expect(await endpoint.send("DELETE", Self.pods + "/p" + query).status == 200)
        #expect(await endpoint.send("GET", Self.pods + "/p").status == 404)
    }

    @Test("a finalizer holds the object until it is removed")
    func finalizers() async throws {
        let endpoint = try await EndpointFixture()
        var body = EndpointFixture.configMap("a")
        body.set(["example.com/hold"], at: "metadata", "finalizers")
        try await endpoint.create(Self.configMaps, body)
        let held = await endpoint.send("DELETE", Self.configMaps + "/a")
        #expect(!held.value.string("metadata", "deletionTimestamp").isEmpty)
        let merge = "application/merge-patch+json"
        let added = await endpoint.send(
            "PATCH", Self.configMaps + "/a", ["metadata": ["finalizers": ["example.com/hold", "example.com/more"]]],
            contentType: merge)
        #expect(added.status == 422)
        let released = await endpoint.send(
            "PATCH", Self.configMaps + "/a", ["metadata": ["finalizers": nil]], contentType: merge)
        #expect(released.status == 200)
        #expect(await endpoint.send("GET", Self.configMaps + "/a").status == 404)
    }

    @Test("a collection deletion takes what the selector names and nothing else")
    func collection() async throws {
        let endpoint = try await EndpointFixture()
        for (name, app) in [("a", "x"), ("b", "y"), ("c", "x")] {
            try await endpoint.create(Self.configMaps, EndpointFixture.configMap(name, labels: ["app": .string(app)]))
        }
        let answer = await endpoint.send("DELETE", Self.configMaps + "?labelSelector=app%3Dx")
        #expect(answer.value.list("items").map { $0.string("metadata", "name") } == ["a", "c"])
        let left = await endpoint.send("GET", Self.configMaps)
        #expect(left.value.list("items").map { $0.string("metadata", "name") } == ["b"])
    }

    @Test("a namespace is emptied first, waits for its pods, and takes nothing new meanwhile")
    func namespace() async throws {
        let endpoint = try await EndpointFixture()
        try await endpoint.create("/api/v1/namespaces", ["metadata": ["name": "team"]])
        let path = "/api/v1/namespaces/team"
        #expect(await endpoint.send("GET", path + "/serviceaccounts/default").status == 200)
        try await endpoint.create(path + "/configmaps", EndpointFixture.configMap("a"))
        let pod = try await endpoint.create(path + "/pods", EndpointFixture.pod("p", nodeName: "n1"))
        let answer = await endpoint.send("DELETE", path)
        #expect(answer.value.string("status", "phase") == "Terminating")
        #expect(await endpoint.send("GET", path + "/configmaps/a").status == 404)
        let refused = await endpoint.send("POST", path + "/configmaps", EndpointFixture.configMap("b"))
        #expect(refused.status == 403)
        #expect(refused.value.string("message").contains("because it is being terminated"))
        #expect(await endpoint.send("GET", path).status == 200)
        let final: JSONValue = [
            "gracePeriodSeconds": 0, "preconditions": ["uid": .string(pod.string("metadata", "uid"))],
        ]
        #expect(await endpoint.send("DELETE", path + "/pods/p", final, as: EndpointFixture.node).status == 200)
        #expect(await endpoint.send("GET", path).status == 404)
        #expect(endpoint.store.objects(inNamespace: "team").isEmpty)
    }

    @Test("a namespace with hundreds of objects goes in a few transactions")
    func fullNamespace() async throws {
        let endpoint = try await EndpointFixture()
        try await Self.fill("crowd", 600, endpoint)
        let before = endpoint.store.committedBatches
        #expect(await endpoint.send("DELETE", "/api/v1/namespaces/crowd").status == 200)
        #expect(await endpoint.send("GET", "/api/v1/namespaces/crowd").status == 404)
        #expect(endpoint.store.isEmpty(namespace: "crowd"))
        #expect(endpoint.store.committedBatches - before < 300, "600 objects")
    }

    @Test("an emptying that a stop interrupts ends soon, and goes on at the next start")
    func interruptedEmptying() async throws {
        let endpoint = try await EndpointFixture()
        try await Self.fill("crowd", 20, endpoint)
        endpoint.store.finishWatches()
        _ = await endpoint.send("DELETE", "/api/v1/namespaces/crowd")
        #expect(endpoint.store.objects(inNamespace: "crowd").count >= 20)
        try endpoint.store.close()
        let store = try ResourceStore(path: endpoint.directory + "/state.db", seal: endpoint.seal)
        let addresses = try #require(ServiceAddressAllocator(cidr: "10.96.0.0/16"))
        let operations = ResourceOperations(
            registry: ResourceRegistry(ResourceRegistry.standard), store: store, serviceAddresses: addresses,
            logger: Logger(label: "test"))
        await operations.resumeDeletionsOfNamespaces()
        #expect(store.isEmpty(namespace: "crowd"))
        #expect(
            store.get(
                ObjectKey(resource: ResourceID(group: "", plural: "namespaces"), namespace: "", name: "crowd")) == nil)
        try store.close()
    }

    private static func fill(_ namespace: String, _ count: Int, _ endpoint: EndpointFixture) async throws {
        try await endpoint.create("/api/v1/namespaces", ["metadata": ["name": .string(namespace)]])
        for number in 0..<count {
            try await endpoint.create(
                "/api/v1/namespaces/\(namespace)/configmaps", ["metadata": ["name": .string("c\(number)")]])
        }
    }

    @Test("the system namespaces stay, and a deleted default service account comes back")
    func systemObjects() async throws {
        let endpoint = try await EndpointFixture()
        for name in ["default", "kube-system", "kube-public"] {
            #expect(await endpoint.send("DELETE", "/api/v1/namespaces/\(name)").status == 403)
        }
        let path = "/api/v1/namespaces/default/serviceaccounts/default"
        let before = await endpoint.send("GET", path).value.string("metadata", "uid")
        #expect(await endpoint.send("DELETE", path).status == 200)
        let after = await endpoint.send("GET", path)
        #expect(after.status == 200 && after.value.string("metadata", "uid") != before)
    }

    @Test("events go after an hour, younger ones stay")
    func oldEvents() async throws {
        let endpoint = try await EndpointFixture()
        let path = "/api/v1/namespaces/default/events"
        let event = { (name: String, time: String) -> JSONValue in
            [
                "metadata": ["name": .string(name)], "lastTimestamp": .string(time), "firstTimestamp": .string(time),
                "involvedObject": ["kind": "Pod", "name": "p", "namespace": "default"], "reason": "Started",
                "type": "Normal", "message": "m",
            ]
        }
        try await endpoint.create(path, event("old", endpoint.clock.now.rfc3339))
        endpoint.clock.advance(3500)
        try await endpoint.create(path, event("young", endpoint.clock.now.rfc3339))
        endpoint.clock.advance(200)
        await endpoint.operations.removeOldEvents()
        let left = await endpoint.send("GET", path)
        #expect(left.value.list("items").map { $0.string("metadata", "name") } == ["young"])
    }
}
