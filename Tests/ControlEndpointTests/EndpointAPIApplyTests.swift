import KubernetesAPI
import Testing

@testable import ControlEndpoint

@Suite("Server-side apply over the API")
struct EndpointAPIApplyTests {
    private static let path = "/api/v1/namespaces/default/configmaps/a"

    private func apply(
        _ endpoint: EndpointFixture, _ data: JSONValue, manager: String = "one", more: String = "",
        as identity: Identity = EndpointFixture.admin
    ) async -> EndpointFixture.Answer {
        await endpoint.send(
            "PATCH", "\(Self.path)?fieldManager=\(manager)\(more)",
            ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "a"], "data": data],
            contentType: "application/apply-patch+yaml", as: identity)
    }

    @Test("it creates what is not there, and the same again writes nothing")
    func creates() async throws {
        let endpoint = try await EndpointFixture()
        let first = await apply(endpoint, ["x": "1"])
        #expect(first.status == 201, "\(first.value)")
        let entry = first.value.list("metadata", "managedFields")[0]
        #expect(entry.string("manager") == "one")
        #expect(entry.string("operation") == "Apply")
        #expect(entry["fieldsV1"] == ["f:data": ["f:x": [:]]])
        endpoint.clock.advance(10)
        let second = await apply(endpoint, ["x": "1"])
        #expect(second.status == 200)
        #expect(second.value == first.value)
    }

    @Test("a manager is required, the record may not be applied, and only an apply may be forced")
    func required() async throws {
        let endpoint = try await EndpointFixture()
        let unnamed = await apply(endpoint, [:], manager: "")
        #expect(unnamed.status == 422)
        #expect(unnamed.value.string("message").contains("fieldManager: Required value"))
        let forced = await endpoint.send(
            "PATCH", Self.path + "?force=true", [:], contentType: "application/merge-patch+json")
        #expect(forced.status == 422)
        let record = await endpoint.send(
            "PATCH", Self.path + "?fieldManager=one",
            [
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": ["name": "a", "managedFields": [["manager": "x"]]],
            ], contentType: "application/apply-patch+yaml")
        #expect(record.status == 400)
    }

    @Test("another manager's value is a conflict with a cause for each field, and force takes it")
    func conflicts() async throws {
        let endpoint = try await EndpointFixture()
        _ = await apply(endpoint, ["x": "1", "y": "1", "z": "1"])
        let answer = await apply(endpoint, ["x": "2", "y": "2", "z": "1"], manager: "two")
        #expect(answer.status == 409)
        #expect(answer.value.string("reason") == "Conflict")
        #expect(answer.value.list("details", "causes").map { $0.string("field") } == [".data.x", ".data.y"])
        #expect(answer.value.list("details", "causes")[0].string("reason") == "FieldManagerConflict")
        #expect(answer.value.string("message").hasPrefix("Apply failed with 2 conflicts: conflicts with \"one\":"))
        let forced = await apply(endpoint, ["x": "2", "y": "2", "z": "1"], manager: "two", more: "&force=true")
        #expect(forced.status == 200, "\(forced.value)")
        // What both want is both's; what one no longer names goes only when nobody else wants it.
        let less = await apply(endpoint, ["x": "2"], manager: "two")
        #expect(less.value["data"] == ["x": "2", "z": "1"])
    }

    @Test("a change by another way takes the field over, once the object was applied; before that no record is kept")
    func updates() async throws {
        let endpoint = try await EndpointFixture()
        let patch: JSONValue = ["data": ["x": "2"]]
        let plain = try await endpoint.create("/api/v1/namespaces/default/configmaps", EndpointFixture.configMap("b"))
        #expect(plain[path: "metadata", "managedFields"] == nil)
        _ = await apply(endpoint, ["x": "1"])
        let patched = await endpoint.send(
            "PATCH", Self.path + "?fieldManager=editor", patch, contentType: "application/merge-patch+json")
        let entries = patched.value.list("metadata", "managedFields")
        #expect(entries.map { $0.string("manager") } == ["editor"])
        #expect(entries[0].string("operation") == "Update")
        let answer = await apply(endpoint, ["x": "1"])
        #expect(answer.status == 409)
        #expect(answer.value.string("message").contains("conflict with \"editor\" using v1 at "))
    }

    @Test("who may patch but not create does not create by applying")
    func creation() async throws {
        let endpoint = try await EndpointFixture()
        let rules: JSONValue = [
            "metadata": ["name": "patcher"],
            "rules": [["apiGroups": [""], "resources": ["configmaps"], "verbs": ["patch"]]],
        ]
        let group = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
        try await endpoint.create(group + "/roles", rules)
        try await endpoint.create(
            group + "/rolebindings",
            [
                "metadata": ["name": "patcher"],
                "roleRef": ["apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "patcher"],
                "subjects": [["kind": "User", "name": "eve", "apiGroup": "rbac.authorization.k8s.io"]],
            ])
        let eve = Identity(name: "eve", groups: [])
        #expect(await apply(endpoint, ["x": "1"], as: eve).status == 403)
        _ = await apply(endpoint, ["x": "1"])
        #expect(await apply(endpoint, ["x": "1"], manager: "two", as: eve).status == 200)
    }

    @Test("a dry run shows the result and keeps nothing")
    func dryRun() async throws {
        let endpoint = try await EndpointFixture()
        #expect(await apply(endpoint, ["x": "1"], more: "&dryRun=All").status == 201)
        #expect(await endpoint.send("GET", Self.path).status == 404)
        _ = await apply(endpoint, ["x": "1"])
        let shown = await apply(endpoint, ["x": "2"], more: "&dryRun=All")
        #expect(shown.value["data"] == ["x": "2"])
        #expect(await endpoint.send("GET", Self.path).value["data"] == ["x": "1"])
    }
}
