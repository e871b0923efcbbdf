import KubernetesAPI
import Testing

@testable import ControlEndpoint

@Suite("Acting as somebody else")
struct ImpersonationTests {
    private static let pods = "/api/v1/namespaces/default/pods"

    private func ask(
        _ endpoint: EndpointFixture, _ headers: [(name: String, value: String)],
        as identity: Identity = EndpointFixture.admin, path: String = pods
    ) async -> EndpointFixture.Answer {
        var request = APIRequest(method: "GET", target: path)
        request.impersonation = Impersonation(headers: headers)
        return await endpoint.answer(to: request, as: identity)
    }

    @Test("the administrator has only the rights of whom he acts as")
    func rights() async throws {
        let endpoint = try await EndpointFixture()
        #expect(await ask(endpoint, []).status == 200)
        let robot = await ask(endpoint, [("Impersonate-User", "system:serviceaccount:default:robot")])
        #expect(robot.status == 403)
        #expect(robot.value.string("message").contains("User \"system:serviceaccount:default:robot\" cannot list"))
        let master = [("impersonate-user", "bob"), ("impersonate-group", "system:masters")]
        #expect(await ask(endpoint, master.map { (name: $0.0, value: $0.1) }).status == 200)
    }

    @Test("nobody acts as somebody else without being allowed to")
    func forbidden() async throws {
        let endpoint = try await EndpointFixture()
        let eve = Identity(name: "eve", groups: [])
        let answer = await ask(endpoint, [("Impersonate-User", "swiftlet-admin")], as: eve)
        #expect(answer.status == 403)
        #expect(answer.value.string("message").contains("User \"eve\" cannot impersonate resource \"users\""))
        #expect(await ask(endpoint, [("Impersonate-Group", "system:masters")], as: eve).status == 400)
        #expect(await ask(endpoint, [("Impersonate-Something", "x")], as: eve).status == 400)
    }

    @Test("a role may allow one user, and no groups with it")
    func byRole() async throws {
        let endpoint = try await EndpointFixture()
        let group = "/apis/rbac.authorization.k8s.io/v1"
        try await endpoint.create(
            group + "/clusterroles",
            [
                "metadata": ["name": "as-bob"],
                "rules": [
                    ["verbs": ["impersonate"], "apiGroups": [""], "resources": ["users"], "resourceNames": ["bob"]]
                ],
            ])
        try await endpoint.create(
            group + "/clusterrolebindings",
            [
                "metadata": ["name": "as-bob"],
                "roleRef": ["apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "as-bob"],
                "subjects": [["kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "eve"]],
            ])
        let eve = Identity(name: "eve", groups: [])
        let path = "/version"
        #expect(await ask(endpoint, [("Impersonate-User", "bob")], as: eve, path: path).status == 200)
        #expect(await ask(endpoint, [("Impersonate-User", "carol")], as: eve, path: path).status == 403)
        let both = [("Impersonate-User", "bob"), ("Impersonate-Group", "system:masters")]
        #expect(await ask(endpoint, both.map { (name: $0.0, value: $0.1) }, as: eve, path: path).status == 403)
    }
}
