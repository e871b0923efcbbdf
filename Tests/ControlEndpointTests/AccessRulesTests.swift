import KubernetesAPI
import Testing

@testable import ControlEndpoint

@Suite("Roles and bindings")
struct AccessRulesTests {
    private static let group = "/apis/rbac.authorization.k8s.io/v1"
    private static let eve = Identity(name: "eve", groups: ["developers"])

    private static func asks(
        _ verb: String, _ resource: String, group: String = "", subresource: String = "", namespace: String = "a",
        name: String = ""
    ) -> AccessRequest {
        AccessRequest(
            verb: verb,
            target: .resource(
                group: group, resource: resource, subresource: subresource, namespace: namespace, name: name))
    }

    @Test(
        "a rule allows what it names, and a star everything",
        arguments: [
            (PolicyRule(verbs: ["get"], apiGroups: [""], resources: ["pods"]), asks("get", "pods"), true),
            (PolicyRule(verbs: ["get"], apiGroups: [""], resources: ["pods"]), asks("list", "pods"), false),
            (PolicyRule(verbs: ["get"], apiGroups: ["apps"], resources: ["pods"]), asks("get", "pods"), false),
            (PolicyRule(verbs: ["*"], apiGroups: ["*"], resources: ["*"]), asks("x", "y", group: "z"), true),
            (
                PolicyRule(verbs: ["get"], apiGroups: [""], resources: ["pods"]),
                asks("get", "pods", subresource: "log"), false
            ),
            (
                PolicyRule(verbs: ["get"], apiGroups: [""], resources: ["pods/log"]),
                asks("get", "pods", subresource: "log"), true
            ),
            (
                PolicyRule(verbs: ["update"], apiGroups: ["*"], resources: ["*/scale"]),
                asks("update", "deployments", group: "apps", subresource: "scale"), true
            ),
            (
                PolicyRule(verbs: ["get"], apiGroups: [""], resources: ["pods"], resourceNames: ["p"]),
                asks("get", "pods", name: "p"), true
            ),
            (
                PolicyRule(verbs: ["get"], apiGroups: [""], resources: ["pods"], resourceNames: ["p"]),
                asks("get", "pods", name: "q"), false
            ),
            (
                PolicyRule(verbs: ["list"], apiGroups: [""], resources: ["pods"], resourceNames: ["p"]),
                asks("list", "pods"), false
            ),
            (
                PolicyRule(verbs: ["get"], nonResourceURLs: ["/apis/*"]),
                AccessRequest(verb: "get", target: .path("/apis/apps")), true
            ),
            (
                PolicyRule(verbs: ["get"], nonResourceURLs: ["/apis/*"]),
                AccessRequest(verb: "get", target: .path("/api")), false
            ),
        ])
    func rule(rule: PolicyRule, request: AccessRequest, allowed: Bool) {
        #expect(rule.allows(request) == allowed)
    }

    @Test("a role bound in a namespace holds there only; a cluster-wide binding everywhere")
    func scope() {
        let role = ClusterRole(
            metadata: ObjectMeta(name: "reader"),
            rules: [PolicyRule(verbs: ["get"], apiGroups: [""], resources: ["pods"])])
        let reference = RoleReference(apiGroup: RoleReference.group, kind: "ClusterRole", name: "reader")
        let local = AccessRules(
            roles: [], clusterRoles: [role],
            bindings: [
                RoleBinding(
                    metadata: ObjectMeta(name: "b", namespace: "a"), subjects: [Subject(kind: "User", name: "eve")],
                    roleRef: reference)
            ], clusterBindings: [])
        #expect(local.reason(Self.eve, Self.asks("get", "pods")) != nil)
        #expect(local.reason(Self.eve, Self.asks("get", "pods", namespace: "b")) == nil)
        #expect(local.reason(Self.eve, Self.asks("get", "pods", namespace: "")) == nil)
        let wide = AccessRules(
            roles: [], clusterRoles: [role], bindings: [],
            clusterBindings: [
                ClusterRoleBinding(
                    metadata: ObjectMeta(name: "b"), subjects: [Subject(kind: "Group", name: "developers")],
                    roleRef: reference)
            ])
        #expect(wide.reason(Self.eve, Self.asks("get", "pods", namespace: "b")) != nil)
        #expect(wide.reason(Identity(name: "bob", groups: []), Self.asks("get", "pods")) == nil)
    }

    @Test("a role made of others has their rules, also when they select each other")
    func aggregation() {
        func role(_ name: String, from label: String?, into: String, _ rules: [PolicyRule] = []) -> ClusterRole {
            ClusterRole(
                metadata: ObjectMeta(name: name, labels: [into: "true"]), rules: rules,
                aggregationRule: label.map {
                    AggregationRule(clusterRoleSelectors: [LabelSelector(matchLabels: [$0: "true"])])
                })
        }
        let rules = AccessRules(
            roles: [],
            clusterRoles: [
                role("a", from: "x", into: "y"), role("b", from: "y", into: "x"),
                role("leaf", from: nil, into: "x", [PolicyRule(verbs: ["get"], apiGroups: [""], resources: ["pods"])]),
            ], bindings: [], clusterBindings: [])
        for name in ["a", "b"] {
            let found = rules.rules(of: RoleReference(kind: "ClusterRole", name: name), namespace: "")
            #expect(found?.count == 1)
        }
    }

    @Test("a service account does what a binding gives it, at once and no longer than that")
    func serviceAccount() async throws {
        let endpoint = try await EndpointFixture()
        let account = Identity(name: "system:serviceaccount:default:default", groups: ["system:serviceaccounts"])
        func status() async -> Int {
            await endpoint.send("GET", "/api/v1/namespaces/default/pods", as: account).status
        }
        #expect(await status() == 403)
        try await endpoint.create(
            "\(Self.group)/namespaces/default/rolebindings",
            [
                "metadata": ["name": "viewer"],
                "subjects": [["kind": "ServiceAccount", "name": "default", "namespace": "default"]],
                "roleRef": ["apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"],
            ])
        #expect(await status() == 200)
        let secrets = await endpoint.send("GET", "/api/v1/namespaces/default/secrets", as: account)
        #expect(secrets.status == 403)
        _ = await endpoint.send("DELETE", "\(Self.group)/namespaces/default/rolebindings/viewer")
        #expect(await status() == 403)
    }

    /// Gives a user the right to write roles and bindings in the namespace default, and to see pods there.
    private func endpointWithManager() async throws -> EndpointFixture {
        let endpoint = try await EndpointFixture()
        try await endpoint.create(
            "\(Self.group)/namespaces/default/roles",
            [
                "metadata": ["name": "manager"],
                "rules": [
                    [
                        "verbs": ["create", "update"], "apiGroups": ["rbac.authorization.k8s.io"],
                        "resources": ["roles", "rolebindings"],
                    ],
                    ["verbs": ["get"], "apiGroups": [""], "resources": ["pods"]],
                ],
            ])
        try await endpoint.create(
            "\(Self.group)/namespaces/default/rolebindings",
            [
                "metadata": ["name": "manager"], "subjects": [["kind": "User", "name": "eve"]],
                "roleRef": ["kind": "Role", "name": "manager"],
            ])
        return endpoint
    }

    @Test("nobody gives away more than they have")
    func escalation() async throws {
        let endpoint = try await endpointWithManager()
        func create(_ name: String, _ verbs: JSONValue) async -> Int {
            await endpoint.send(
                "POST", "\(Self.group)/namespaces/default/roles",
                [
                    "metadata": ["name": .string(name)],
                    "rules": [["verbs": verbs, "apiGroups": [""], "resources": ["pods"]]],
                ], as: Self.eve
            ).status
        }
        #expect(await create("same", ["get"]) == 201)
        #expect(await create("more", ["get", "delete"]) == 403)
        #expect(await create("all", ["*"]) == 403)
        func bind(_ kind: JSONValue, _ role: JSONValue) async -> Int {
            await endpoint.send(
                "POST", "\(Self.group)/namespaces/default/rolebindings",
                [
                    "metadata": ["generateName": "b-"], "subjects": [["kind": "User", "name": "bob"]],
                    "roleRef": ["kind": kind, "name": role],
                ], as: Self.eve
            ).status
        }
        #expect(await bind("Role", "same") == 201)
        #expect(await bind("ClusterRole", "cluster-admin") == 403)
        #expect(await bind("ClusterRole", "does-not-exist") == 403)
    }

    @Test("the role of a binding never changes")
    func immutableReference() async throws {
        let endpoint = try await endpointWithManager()
        let patch: JSONValue = ["roleRef": ["name": "other"]]
        let answer = await endpoint.send(
            "PATCH", "\(Self.group)/namespaces/default/rolebindings/manager", patch,
            contentType: "application/merge-patch+json")
        #expect(answer.status == 422)
    }

    @Test("may I is answered as a request would be")
    func review() async throws {
        let endpoint = try await endpointWithManager()
        func mayI(_ verb: JSONValue, as identity: Identity) async -> JSONValue? {
            let answer = await endpoint.send(
                "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                ["spec": ["resourceAttributes": ["namespace": "default", "verb": verb, "resource": "pods"]]],
                as: identity)
            return answer.value[path: "status", "allowed"]
        }
        #expect(await mayI("get", as: Self.eve) == true)
        #expect(await mayI("delete", as: Self.eve) == false)
        #expect(await mayI("delete", as: EndpointFixture.admin) == true)
        let asked = await endpoint.send(
            "POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews",
            [
                "spec": [
                    "user": "eve",
                    "resourceAttributes": ["namespace": "default", "verb": "get", "resource": "pods"],
                ]
            ])
        #expect(asked.value[path: "status", "allowed"] == true)
        let forbidden = await endpoint.send(
            "POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", ["spec": ["user": "eve"]], as: Self.eve)
        #expect(forbidden.status == 403)
    }

    @Test("a node writes only about the pods it runs")
    func nodeRestriction() async throws {
        let endpoint = try await EndpointFixture()
        for (name, node) in [("own", "n1"), ("other", "n2")] {
            try await endpoint.create(
                "/api/v1/namespaces/default/pods", EndpointFixture.pod(name, nodeName: node))
        }
        for (name, status) in [("own", 200), ("other", 403)] {
            let answer = await endpoint.send(
                "PATCH", "/api/v1/namespaces/default/pods/\(name)/status", ["status": ["message": "x"]],
                contentType: "application/merge-patch+json", as: EndpointFixture.node)
            #expect(answer.status == status)
            let deleted = await endpoint.send(
                "DELETE", "/api/v1/namespaces/default/pods/\(name)?gracePeriodSeconds=0", as: EndpointFixture.node)
            #expect(deleted.status == status)
        }
        let plain = await endpoint.send(
            "POST", "/api/v1/namespaces/default/pods", EndpointFixture.pod("new", nodeName: "n1"),
            as: EndpointFixture.node)
        #expect(plain.status == 403)
    }
}
