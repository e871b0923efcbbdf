import KubernetesAPI
import Testing

@testable import ControlEndpoint

@Suite("Limits, quotas, priorities and budgets over the API")
struct NamespacePolicyTests {
    private static let core = "/api/v1/namespaces/default"
    private static let pods = core + "/pods"
    private static let budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"

    private func pod(_ name: String, resources: JSONValue = [:], labels: [String: JSONValue] = [:]) -> JSONValue {
        var pod = EndpointFixture.pod(name, labels: labels)
        pod.set([["name": "main", "image": "host:///", "resources": resources]], at: "spec", "containers")
        return pod
    }

    @Test("a container without requests and limits gets the namespace's, and one out of bounds is refused")
    func limitRange() async throws {
        let endpoint = try await EndpointFixture()
        try await endpoint.create(
            Self.core + "/limitranges",
            [
                "metadata": ["name": "l"],
                "spec": [
                    "limits": [
                        [
                            "type": "Container", "default": ["cpu": "500m"], "defaultRequest": ["cpu": "100m"],
                            "max": ["cpu": "1"],
                        ]
                    ]
                ],
            ])
        let made = try await endpoint.create(Self.pods, pod("a"))
        #expect(
            made[path: "spec"]?.list("containers")[0]["resources"] == [
                "limits": ["cpu": "500m"], "requests": ["cpu": "100m"],
            ])
        #expect(made.string("status", "qosClass") == "Burstable")
        let own = try await endpoint.create(Self.pods, pod("b", resources: ["limits": ["cpu": "300m"]]))
        #expect(own[path: "spec"]?.list("containers")[0][path: "resources", "requests", "cpu"] == "300m")
        let large = await endpoint.send("POST", Self.pods, pod("c", resources: ["limits": ["cpu": "2"]]))
        #expect(large.status == 403)
        #expect(large.value.string("message").contains("maximum cpu usage per Container is 1, but limit is 2"))
    }

    @Test("a quota counts what is there, refuses what is too much and takes back what has gone")
    func quota() async throws {
        let endpoint = try await EndpointFixture()
        try await endpoint.create(
            Self.core + "/resourcequotas",
            [
                "metadata": ["name": "q"],
                "spec": ["hard": ["pods": "2", "requests.cpu": "1", "count/secrets": "0"]],
            ])
        func used(_ name: String) async -> String {
            await endpoint.send("GET", Self.core + "/resourcequotas/q").value.string("status", "used", name)
        }
        #expect(await used("pods") == "0")
        let unsaid = await endpoint.send("POST", Self.pods, pod("a"))
        #expect(unsaid.status == 403)
        #expect(unsaid.value.string("message").contains("failed quota: q: must specify requests.cpu for: main"))
        let small: JSONValue = ["requests": ["cpu": "300m"]]
        try await endpoint.create(Self.pods, pod("a", resources: small))
        try await endpoint.create(Self.pods, pod("b", resources: small))
        #expect(await used("pods") == "2")
        #expect(await used("requests.cpu") == "600m")
        let third = await endpoint.send("POST", Self.pods, pod("c", resources: small))
        #expect(third.status == 403)
        #expect(
            third.value.string("message").contains(
                "exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2"))
        _ = await endpoint.send(
            "PATCH", Self.pods + "/a/status", ["status": ["phase": "Succeeded"]],
            contentType: "application/merge-patch+json")
        #expect(await used("pods") == "1")
        let large = await endpoint.send("POST", Self.pods, pod("c", resources: ["requests": ["cpu": "800m"]]))
        #expect(large.value.string("message").contains("requested: requests.cpu=800m, used: requests.cpu=300m"))
        try await endpoint.create(Self.pods, pod("c", resources: small))
        _ = await endpoint.send("DELETE", Self.pods + "/b")
        #expect(await used("pods") == "1")
        let secret = await endpoint.send("POST", Self.core + "/secrets", ["metadata": ["name": "s"]])
        #expect(secret.status == 403)
    }

    @Test("many at once do not get past a quota")
    func race() async throws {
        let endpoint = try await EndpointFixture()
        try await endpoint.create(
            Self.core + "/resourcequotas", ["metadata": ["name": "q"], "spec": ["hard": ["configmaps": "5"]]])
        let made = await withTaskGroup(of: Int.self) { group in
            for number in 0..<40 {
                group.addTask {
                    await endpoint.send("POST", Self.core + "/configmaps", EndpointFixture.configMap("c\(number)"))
                        .status
                }
            }
            return await group.reduce(into: 0) { $0 += $1 == 201 ? 1 : 0 }
        }
        #expect(made == 5)
    }

    @Test("a priority class is looked up by name, the default one is everybody's, the system's are there")
    func priority() async throws {
        let endpoint = try await EndpointFixture()
        func create(_ name: String, _ spec: [String: JSONValue]) async -> EndpointFixture.Answer {
            var pod = EndpointFixture.pod(name)
            for (field, value) in spec { pod.set(value, at: "spec", field) }
            return await endpoint.send("POST", Self.pods, pod)
        }
        #expect(await create("a", ["priorityClassName": "ghost"]).status == 403)
        let system = await create("b", ["priorityClassName": "system-node-critical"])
        #expect(system.value[path: "spec", "priority"] == 2_000_001_000)
        #expect(await create("c", [:]).value[path: "spec", "priority"] == 0)
        let classes = "/apis/scheduling.k8s.io/v1/priorityclasses"
        try await endpoint.create(
            classes, ["metadata": ["name": "usual"], "value": 7, "globalDefault": true, "preemptionPolicy": "Never"])
        let usual = await create("d", [:])
        #expect(usual.value[path: "spec", "priority"] == 7)
        #expect(usual.value.string("spec", "priorityClassName") == "usual")
        #expect(usual.value.string("spec", "preemptionPolicy") == "Never")
        #expect(await create("e", ["priorityClassName": "usual", "priority": 8]).status == 403)
        let high = await endpoint.send("POST", classes, ["metadata": ["name": "high"], "value": 1_500_000_000])
        #expect(high.status == 422)
        #expect(await create("f", ["priority": 5]).status == 403)
        #expect(
            await create("g", ["priorityClassName": "usual", "preemptionPolicy": "PreemptLowerPriority"]).status == 403)
        let second = await endpoint.send(
            "POST", classes, ["metadata": ["name": "second"], "value": 8, "globalDefault": true])
        #expect(second.value.string("message").contains("PriorityClass usual is already marked as default."))
        #expect(await endpoint.send("DELETE", classes + "/system-node-critical").status == 403)
    }

    @Test("a resize is held to the quota and the limits of its namespace; what does not grow is not")
    func resize() async throws {
        let endpoint = try await EndpointFixture()
        let quotas = Self.core + "/resourcequotas"
        try await endpoint.create(Self.pods, pod("p", resources: ["requests": ["cpu": "300m"]]))
        try await endpoint.create(quotas, ["metadata": ["name": "q"], "spec": ["hard": ["requests.cpu": "500m"]]])
        func resize(_ cpu: JSONValue) async -> EndpointFixture.Answer {
            await endpoint.send(
                "PATCH", Self.pods + "/p/resize",
                ["spec": ["containers": [["name": "main", "resources": ["requests": ["cpu": cpu]]]]]],
                contentType: "application/strategic-merge-patch+json")
        }
        let large = await resize("600m")
        #expect(large.status == 403)
        #expect(
            large.value.string("message").hasSuffix(
                "exceeded quota: q, requested: requests.cpu=300m, used: requests.cpu=300m, limited: requests.cpu=500m"))
        #expect(await resize("400m").status == 200)
        #expect(await endpoint.send("GET", quotas + "/q").value.string("status", "used", "requests.cpu") == "400m")
        _ = await endpoint.send(
            "PATCH", quotas + "/q", ["spec": ["hard": ["requests.cpu": "100m"]]],
            contentType: "application/merge-patch+json")
        #expect(await resize("350m").status == 200)
        try await endpoint.create(
            Self.core + "/limitranges",
            ["metadata": ["name": "l"], "spec": ["limits": [["type": "Container", "min": ["cpu": "200m"]]]]])
        #expect(
            await resize("100m").value.string("message").contains(
                "minimum cpu usage per Container is 200m, but request is 100m"))
    }

    @Test("a quota of a scope counts the pods of that scope alone, and a default is noted at the pod")
    func scopes() async throws {
        let endpoint = try await EndpointFixture()
        let selector: JSONValue = [
            "matchExpressions": [["scopeName": "PriorityClass", "operator": "In", "values": ["system-node-critical"]]]
        ]
        let quotas = Self.core + "/resourcequotas"
        try await endpoint.create(
            quotas, ["metadata": ["name": "q"], "spec": ["hard": ["pods": "1"], "scopeSelector": selector]])
        var critical = pod("a")
        critical.set("system-node-critical", at: "spec", "priorityClassName")
        try await endpoint.create(Self.pods, critical)
        try await endpoint.create(Self.pods, pod("b"))
        #expect(await endpoint.send("GET", quotas + "/q").value.string("status", "used", "pods") == "1")
        critical.set("c", at: "metadata", "name")
        #expect(await endpoint.send("POST", Self.pods, critical).status == 403)
        for hard: JSONValue in [["services": "1"], ["bananas": "1"], ["pods": "500m"]] {
            let bad = await endpoint.send(
                "POST", quotas, ["metadata": ["name": "bad"], "spec": ["hard": hard, "scopes": ["BestEffort"]]])
            #expect(bad.status == 422, "\(bad.value)")
        }
        try await endpoint.create(
            Self.core + "/limitranges",
            ["metadata": ["name": "l"], "spec": ["limits": [["type": "Container", "max": ["cpu": "1"]]]]])
        let noted = try await endpoint.create(Self.pods, pod("d"))
        #expect(
            noted.string("metadata", "annotations", "kubernetes.io/limit-ranger")
                == "LimitRanger plugin set: cpu request for container main; cpu limit for container main")
    }

    @Test("claims and services count by what they ask for")
    func others() async throws {
        let endpoint = try await EndpointFixture()
        let quotas = Self.core + "/resourcequotas"
        let gold = "gold.storageclass.storage.k8s.io/requests.storage"
        try await endpoint.create(
            quotas,
            [
                "metadata": ["name": "q"],
                "spec": [
                    "hard": [
                        "requests.storage": "10Gi", "services.nodeports": "1",
                        "gold.storageclass.storage.k8s.io/requests.storage": "3Gi",
                    ]
                ],
            ])
        func claim(_ name: JSONValue, _ storage: JSONValue, _ storageClass: JSONValue) -> JSONValue {
            [
                "metadata": ["name": name],
                "spec": [
                    "accessModes": ["ReadWriteOnce"], "storageClassName": storageClass,
                    "resources": ["requests": ["storage": storage]],
                ],
            ]
        }
        try await endpoint.create(Self.core + "/persistentvolumeclaims", claim("a", "2Gi", "gold"))
        try await endpoint.create(Self.core + "/persistentvolumeclaims", claim("b", "4Gi", "lead"))
        let refused = await endpoint.send("POST", Self.core + "/persistentvolumeclaims", claim("c", "2Gi", "gold"))
        #expect(refused.value.string("message").contains("used: \(gold)=2Gi, limited: \(gold)=3Gi"))
        let used = await endpoint.send("GET", quotas + "/q").value
        #expect(used.string("status", "used", "requests.storage") == "6Gi")
        #expect(used.string("status", "used", gold) == "2Gi")
    }

    @Test("what happened just before a stop is counted at the next start")
    func restart() async throws {
        let endpoint = try await EndpointFixture()
        try await endpoint.create(
            Self.core + "/resourcequotas", ["metadata": ["name": "q"], "spec": ["hard": ["configmaps": "5"]]])
        let path = Self.core + "/resourcequotas/q"
        let before = await endpoint.send("GET", path).value
        let present = try #require(Int(before.string("status", "used", "configmaps")))
        // Stored, and the quota never told.
        let key = ObjectKey(resource: ResourceID(group: "", plural: "configmaps"), namespace: "default", name: "late")
        _ = try await endpoint.store.write(key, expecting: .absent, .put(EndpointFixture.configMap("late")))
        try await endpoint.operations.createSystemObjects(apiPort: 6443)
        let after = await endpoint.send("GET", path).value
        #expect(after.string("status", "used", "configmaps") == String(present + 1))
    }

    @Test("an eviction is granted while the budget lasts, and 429 with the reason after that")
    func eviction() async throws {
        let endpoint = try await EndpointFixture()
        for name in ["a", "b"] {
            var pod = EndpointFixture.pod(name, labels: ["app": "web"], nodeName: "n1")
            pod.set(0, at: "spec", "terminationGracePeriodSeconds")
            try await endpoint.create(Self.pods, pod)
            let status: JSONValue = [
                "status": ["phase": "Running", "conditions": [["type": "Ready", "status": "True"]]]
            ]
            _ = await endpoint.send(
                "PATCH", "\(Self.pods)/\(name)/status", status, contentType: "application/merge-patch+json")
        }
        try await endpoint.create(
            Self.budgets,
            ["metadata": ["name": "web"], "spec": ["minAvailable": 1, "selector": ["matchLabels": ["app": "web"]]]])
        func allowed() async -> JSONValue? {
            await endpoint.send("GET", Self.budgets + "/web").value[path: "status", "disruptionsAllowed"]
        }
        #expect(await allowed() == 1)
        func evict(_ name: String, dry: Bool = false) async -> EndpointFixture.Answer {
            let options: JSONValue = dry ? ["dryRun": ["All"]] : [:]
            return await endpoint.send(
                "POST", "\(Self.pods)/\(name)/eviction",
                [
                    "apiVersion": "policy/v1", "kind": "Eviction", "metadata": ["name": .string(name)],
                    "deleteOptions": options,
                ])
        }
        #expect(await evict("a", dry: true).status == 201)
        #expect(await evict("a").status == 201)
        #expect(await endpoint.send("GET", Self.pods + "/a").status == 404)
        #expect(await allowed() == 0)
        let refused = await evict("b")
        #expect(refused.status == 429)
        #expect(refused.value.string("message") == "Cannot evict pod as it would violate the pod's disruption budget.")
        #expect(refused.value.string("reason") == "TooManyRequests")
        #expect(refused.value.list("details", "causes")[0].string("message").contains("needs 1 healthy pods and has 1"))
        #expect(await evict("ghost").status == 404)
    }
}
