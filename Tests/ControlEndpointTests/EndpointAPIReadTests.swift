import KubernetesAPI
import Testing

@testable import ControlEndpoint

@Suite("Reading over the API")
struct EndpointAPIReadTests {
    private static let pods = "/api/v1/namespaces/default/pods"
    private static let configMaps = "/api/v1/namespaces/default/configmaps"
    private static let tableType = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"

    private func names(_ answer: EndpointFixture.Answer) -> [String] {
        answer.value.list("items").map { $0.string("metadata", "name") }
    }

    @Test("lists are ordered by namespace and name, and carry the version of the world")
    func list() async throws {
        let endpoint = try await EndpointFixture()
        try await endpoint.create("/api/v1/namespaces/kube-system/configmaps", EndpointFixture.configMap("a"))
        for name in ["c", "a", "b"] { try await endpoint.create(Self.configMaps, EndpointFixture.configMap(name)) }
        let all = await endpoint.send("GET", "/api/v1/configmaps")
        #expect(all.value.string("kind") == "ConfigMapList")
        #expect(names(all) == ["a", "b", "c", "a"])
        #expect(all.value.string("metadata", "resourceVersion") == String(endpoint.store.resourceVersion))
        #expect(names(await endpoint.send("GET", Self.configMaps)) == ["a", "b", "c"])
    }

    @Test(
        "label and field selectors choose",
        arguments: [
            ("labelSelector=app%3Dx", ["a", "c"]), ("labelSelector=app+in+(y)", ["b"]),
            ("labelSelector=!app", ["d"]), ("labelSelector=app,app!=y", ["a", "c"]),
            ("fieldSelector=metadata.name%3Db", ["b"]), ("fieldSelector=spec.nodeName%3Dn1", ["a"]),
            ("fieldSelector=spec.nodeName%3D", ["b", "c", "d"]), ("fieldSelector=status.phase!%3DPending", []),
            ("fieldSelector=spec.hostNetwork%3Dfalse,metadata.name!%3Da", ["b", "c", "d"]),
        ])
    func selectors(query: String, expected: [String]) async throws {
        let endpoint = try await EndpointFixture()
        for (name, app) in [("a", "x"), ("b", "y"), ("c", "x"), ("d", "")] {
            let labels: [String: JSONValue] = app.isEmpty ? [:] : ["app": .string(app)]
            let pod = EndpointFixture.pod(name, labels: labels, nodeName: name == "a" ? "n1" : nil)
            try await endpoint.create(Self.pods, pod)
        }
        #expect(names(await endpoint.send("GET", Self.pods + "?" + query)) == expected)
    }

    @Test("an unknown field or a broken selector is a bad request")
    func badSelectors() async throws {
        let endpoint = try await EndpointFixture()
        for query in [
            "fieldSelector=spec.color%3Dred", "labelSelector=a%3D%3D%3Db", "labelSelector=(", "limit=x", "limit=-1",
        ] {
            #expect(await endpoint.send("GET", Self.pods + "?" + query).status == 400, "\(query)")
        }
    }

    @Test("pages show one version of the world, whatever is written in between")
    func pagination() async throws {
        let endpoint = try await EndpointFixture()
        for index in 1...5 { try await endpoint.create(Self.configMaps, EndpointFixture.configMap("n\(index)")) }
        let first = await endpoint.send("GET", Self.configMaps + "?limit=2")
        #expect(names(first) == ["n1", "n2"])
        #expect(first.value[path: "metadata", "remainingItemCount"]?.intValue == 3)
        try await endpoint.create(Self.configMaps, EndpointFixture.configMap("n3a"))
        _ = await endpoint.send("DELETE", Self.configMaps + "/n4")
        let token = first.value.string("metadata", "continue")
        let second = await endpoint.send("GET", Self.configMaps + "?limit=2&continue=\(token)")
        #expect(names(second) == ["n3", "n4"])
        #expect(second.value.string("metadata", "resourceVersion") == first.value.string("metadata", "resourceVersion"))
        let last = await endpoint.send(
            "GET", Self.configMaps + "?limit=2&continue=\(second.value.string("metadata", "continue"))")
        #expect(names(last) == ["n5"])
        #expect(last.value.string("metadata", "continue").isEmpty)
    }

    @Test("a forgotten page is 410, with a token that goes on with the newest state; a made-up one is 400")
    func expiredToken() async throws {
        let endpoint = try await EndpointFixture()
        for index in 1...3 { try await endpoint.create(Self.configMaps, EndpointFixture.configMap("n\(index)")) }
        let token = ContinueToken(version: 1, namespace: "default", name: "n1").text
        let answer = await endpoint.send("GET", Self.configMaps + "?limit=1&continue=\(token)")
        #expect(answer.status == 410)
        #expect(answer.value.string("reason") == "Expired")
        let onward = await endpoint.send(
            "GET", Self.configMaps + "?limit=1&continue=\(answer.value.string("metadata", "continue"))")
        #expect(names(onward) == ["n2"])
        #expect(await endpoint.send("GET", Self.configMaps + "?continue=nonsense").status == 400)
    }

    @Test("a version from the future is a timeout that says so; an exact old one is expired")
    func versions() async throws {
        let endpoint = try await EndpointFixture()
        let current = endpoint.store.resourceVersion
        let ahead = await endpoint.send("GET", Self.configMaps + "?resourceVersion=\(current + 5)")
        #expect(ahead.status == 504)
        #expect(ahead.value[path: "details", "causes"]?[0]?.string("reason") == "ResourceVersionTooLarge")
        let exact = await endpoint.send(
            "GET", Self.configMaps + "?resourceVersion=1&resourceVersionMatch=Exact")
        #expect(exact.status == 410)
        #expect(await endpoint.send("GET", Self.configMaps + "?resourceVersion=0").status == 200)
        #expect(await endpoint.send("GET", Self.configMaps + "?resourceVersion=abc").status == 400)
    }

    @Test("a table has the columns kubectl shows, wide ones marked, and metadata only in its rows")
    func table() async throws {
        let endpoint = try await EndpointFixture()
        try await endpoint.create(Self.pods, EndpointFixture.pod("p"))
        endpoint.clock.advance(125)
        let table = await endpoint.send("GET", Self.pods, accept: Self.tableType).value
        #expect(table.string("kind") == "Table")
        #expect(table.string("apiVersion") == "meta.k8s.io/v1")
        let columns = table.list("columnDefinitions")
        #expect(
            columns.filter { $0["priority"]?.intValue == 0 }.map { $0.string("name") } == [
                "Name", "Ready", "Status", "Restarts", "Age",
            ])
        let row = try #require(table.list("rows").first)
        #expect(row.list("cells").prefix(5) == ["p", "0/1", "Pending", "0", "2m5s"])
        #expect(row.list("cells").count == columns.count)
        #expect(row.string("object", "kind") == "PartialObjectMetadata")
        #expect(row["object"]?["spec"] == nil)
        let whole = await endpoint.send("GET", Self.pods + "?includeObject=Object", accept: Self.tableType).value
        #expect(whole.list("rows").first?.string("object", "kind") == "Pod")
        let beta = await endpoint.send(
            "GET", Self.pods, accept: "application/json;as=Table;v=v1beta1;g=meta.k8s.io")
        #expect(beta.value.string("apiVersion") == "meta.k8s.io/v1beta1")
    }

    @Test("every kind that can be listed has a table whose rows fit its columns")
    func tables() async throws {
        let endpoint = try await EndpointFixture()
        try await endpoint.create("/api/v1/nodes", ["metadata": ["name": "n1"]])
        for resource in endpoint.operations.registry.resources where resource.verbs.contains("list") {
            let table = await endpoint.send("GET", resource.definition.path(), accept: Self.tableType).value
            let width = table.list("columnDefinitions").count
            #expect(width > 1, "\(resource.id)")
            #expect(table.list("rows").allSatisfy { $0.list("cells").count == width }, "\(resource.id)")
        }
    }

    @Test("metadata alone can be had")
    func partialMetadata() async throws {
        let endpoint = try await EndpointFixture()
        try await endpoint.create(Self.configMaps, EndpointFixture.configMap("a", ["k": "v"]))
        let type = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
        let list = await endpoint.send("GET", Self.configMaps, accept: type).value
        #expect(list.string("kind") == "PartialObjectMetadataList")
        #expect(list.list("items").first?.string("metadata", "name") == "a")
        #expect(list.list("items").first?["data"] == nil)
    }

    @Test(
        "paths that name nothing are 404, wrong methods 405",
        arguments: [
            ("GET", "/api/v1/nothings", 404), ("GET", "/api/v2/pods", 404), ("GET", "/apis/x/v1/pods", 404),
            ("GET", "/api/v1/namespaces/default/nodes", 404), ("GET", "/api/v1/namespaces/default/pods/p/nothing", 404),
            ("PUT", "/api/v1/namespaces/default/pods", 405), ("POST", "/api/v1/namespaces/default/pods/p", 405),
            ("GET", "/api/v1/namespaces/default/pods/p/binding", 405), ("DELETE", "/api/v1/pods", 405),
            ("GET", "/api/v1/namespaces/%2e%2e/pods", 400), ("GET", "/nothing", 404), ("POST", "/version", 405),
        ])
    func unknownPaths(method: String, path: String, status: Int) async throws {
        let endpoint = try await EndpointFixture()
        let answer = await endpoint.send(method, path)
        #expect(answer.status == status)
        #expect(answer.value.string("kind") == "Status")
    }
}
