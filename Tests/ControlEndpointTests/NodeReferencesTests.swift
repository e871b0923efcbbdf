import KubernetesAPI
import Testing

@testable import ControlEndpoint

@Suite("What a node may read of what its pods refer to")
struct NodeReferencesTests {
    private static let core = "/api/v1/namespaces/default"

    /// A pod that refers to one of everything, by the names `a-KIND`.
    private static func pod(_ name: String, on node: String?, _ prefix: String, isMirror: Bool = false) -> JSONValue {
        func named(_ kind: String) -> JSONValue { .string("\(prefix)-\(kind)") }
        var pod: JSONValue = [
            "metadata": ["name": .string(name)],
            "spec": [
                "serviceAccountName": named("account"), "automountServiceAccountToken": false,
                "imagePullSecrets": [["name": named("pull")]],
                "initContainers": [
                    ["name": "first", "image": "host:///", "envFrom": [["secretRef": ["name": named("from")]]]]
                ],
                "containers": [
                    [
                        "name": "main", "image": "host:///",
                        "envFrom": [["configMapRef": ["name": named("maps")]]],
                        "env": [
                            ["name": "A", "valueFrom": ["secretKeyRef": ["name": named("key"), "key": "k"]]],
                            ["name": "B", "valueFrom": ["configMapKeyRef": ["name": named("value"), "key": "k"]]],
                        ],
                    ]
                ],
                "volumes": [
                    ["name": "v1", "secret": ["secretName": named("files")]],
                    ["name": "v2", "configMap": ["name": named("settings")]],
                    [
                        "name": "v3",
                        "projected": [
                            "sources": [
                                ["secret": ["name": named("projected")]], ["configMap": ["name": named("mapped")]],
                            ]
                        ],
                    ],
                    ["name": "v4", "persistentVolumeClaim": ["claimName": named("claim")]],
                ],
            ],
        ]
        if let node { pod.set(.string(node), at: "spec", "nodeName") }
        if isMirror { pod.set(.string("hash"), at: "metadata", "annotations", Pod.mirrorAnnotation) }
        return pod
    }

    private static let own = [
        "secrets/a-pull", "secrets/a-from", "secrets/a-key", "secrets/a-files", "secrets/a-projected",
        "configmaps/a-maps", "configmaps/a-value", "configmaps/a-settings", "configmaps/a-mapped",
        "persistentvolumeclaims/a-claim", "serviceaccounts/a-account",
    ]

    private func endpoint() async throws -> EndpointFixture {
        let endpoint = try await EndpointFixture()
        for prefix in ["a", "b"] {
            let account: JSONValue = ["metadata": ["name": .string("\(prefix)-account")]]
            try await endpoint.create(Self.core + "/serviceaccounts", account)
        }
        try await endpoint.create(Self.core + "/pods", Self.pod("here", on: "n1", "a"))
        try await endpoint.create(Self.core + "/pods", Self.pod("there", on: "n2", "b"))
        return endpoint
    }

    /// 403, or what the endpoint says of an object that is not there.
    private func status(_ endpoint: EndpointFixture, _ path: String, namespace: String = "default") async -> Int {
        await endpoint.send("GET", "/api/v1/namespaces/\(namespace)/\(path)", as: EndpointFixture.node).status
    }

    @Test("a node reads what its own pods refer to, by name, and nothing of other pods or namespaces")
    func references() async throws {
        let endpoint = try await endpoint()
        for path in Self.own {
            let expected = path.hasPrefix("serviceaccounts") ? 200 : 404
            #expect(await status(endpoint, path) == expected, "\(path)")
            #expect(await status(endpoint, path.replacing("/a-", with: "/b-")) == 403, "\(path) of another node")
            #expect(await status(endpoint, path, namespace: "kube-system") == 403, "\(path) elsewhere")
        }
        for list in ["secrets", "configmaps", "serviceaccounts", "persistentvolumeclaims"] {
            #expect(await status(endpoint, list) == 403)
        }
        #expect(await status(endpoint, "secrets?fieldSelector=metadata.name%3Da-key") == 200)
        #expect(await status(endpoint, "secrets?fieldSelector=metadata.name%3Db-key") == 403)
        #expect(await status(endpoint, "secrets?fieldSelector=metadata.name%21%3Db-key") == 403)
        #expect(await status(endpoint, "secrets?labelSelector=a%3Db") == 403)
        #expect(await status(endpoint, "configmaps/extension-apiserver-authentication") == 403)
        #expect(
            await status(endpoint, "configmaps/extension-apiserver-authentication", namespace: "kube-system") == 404)
        #expect(await status(endpoint, "configmaps", namespace: "kube-system") == 403)
        let refused = await endpoint.send("GET", Self.core + "/secrets/b-key", as: EndpointFixture.node)
        #expect(refused.value.string("message").hasSuffix(": no pod on node \"n1\" refers to it"))
    }

    @Test("a node reads its own pods, one by one or selected by its name, and no others")
    func pods() async throws {
        let endpoint = try await endpoint()
        for (path, expected) in [
            ("pods", 403), ("pods/here", 200), ("pods/there", 403), ("pods/none", 404),
            ("pods?fieldSelector=spec.nodeName%3Dn1", 200), ("pods?fieldSelector=spec.nodeName%3Dn2", 403),
            ("pods?fieldSelector=spec.nodeName%21%3Dn1", 403), ("pods?fieldSelector=metadata.name%3Dhere", 403),
            ("pods?fieldSelector=spec.nodeName%3Dn1%2Cstatus.phase%3DPending", 200),
        ] {
            #expect(await status(endpoint, path) == expected, "\(path)")
        }
        let path = "/api/v1/pods?fieldSelector=spec.nodeName%3Dn1"
        let all = await endpoint.send("GET", path, as: EndpointFixture.node)
        #expect(all.value.list("items").map { $0.string("metadata", "name") } == ["here"])
    }

    @Test("what a pod gave its node ends with the pod, and begins when it is bound")
    func bindings() async throws {
        let endpoint = try await endpoint()
        #expect(await status(endpoint, "secrets/a-key") == 404)
        let deleted = await endpoint.send("DELETE", Self.core + "/pods/here?gracePeriodSeconds=0")
        #expect(deleted.status == 200)
        #expect(await status(endpoint, "secrets/a-key") == 403)
        try await endpoint.create(Self.core + "/pods", Self.pod("later", on: nil, "a"))
        #expect(await status(endpoint, "secrets/a-key") == 403)
        let binding: JSONValue = ["metadata": ["name": "later"], "target": ["kind": "Node", "name": "n1"]]
        #expect(await endpoint.send("POST", Self.core + "/pods/later/binding", binding).status == 201)
        #expect(await status(endpoint, "secrets/a-key") == 404)
    }

    @Test("a pod that a node shows itself gives it nothing, nor does its token, and it stays such a pod")
    func mirrors() async throws {
        let endpoint = try await endpoint()
        let mirror = Self.pod("shown", on: "n1", "b", isMirror: true)
        let made = await endpoint.send("POST", Self.core + "/pods", mirror, as: EndpointFixture.node)
        try #require(made.status == 201, "\(made.value)")
        #expect(await status(endpoint, "secrets/b-key") == 403)
        let uid = made.value.string("metadata", "uid")
        let token: JSONValue = [
            "spec": ["audiences": [], "boundObjectRef": ["kind": "Pod", "name": "shown", "uid": .string(uid)]]
        ]
        let asked = await endpoint.send(
            "POST", Self.core + "/serviceaccounts/b-account/token", token, as: EndpointFixture.node)
        #expect(asked.status == 403)
        let plain: JSONValue = ["metadata": ["annotations": [Pod.mirrorAnnotation: .null]]]
        let changed = await endpoint.send(
            "PATCH", Self.core + "/pods/shown/status", plain, contentType: "application/merge-patch+json",
            as: EndpointFixture.node)
        #expect(changed.status == 422)
        #expect(changed.value.string("message").contains("may not remove or update mirror pod annotation"))
        #expect(await status(endpoint, "secrets/b-key") == 403)
    }

    @Test("a volume is read by the node whose pod has its claim, with the secrets that its driver needs")
    func volumes() async throws {
        let endpoint = try await endpoint()
        for prefix in ["a", "b"] {
            try await endpoint.create(
                "/api/v1/persistentvolumes",
                [
                    "metadata": ["name": .string("\(prefix)-volume")],
                    "spec": [
                        "capacity": ["storage": "1Gi"], "accessModes": ["ReadWriteOnce"],
                        "claimRef": ["namespace": "default", "name": .string("\(prefix)-claim")],
                        "csi": [
                            "driver": "d", "volumeHandle": "h",
                            "nodeStageSecretRef": ["namespace": "drivers", "name": .string("\(prefix)-stage")],
                        ],
                    ],
                ])
        }
        func volume(_ name: String) async -> Int {
            await endpoint.send("GET", "/api/v1/persistentvolumes/\(name)", as: EndpointFixture.node).status
        }
        #expect(await volume("a-volume") == 200)
        #expect(await volume("b-volume") == 403)
        #expect(await volume("none") == 403)
        #expect(await status(endpoint, "secrets/a-stage", namespace: "drivers") == 404)
        #expect(await status(endpoint, "secrets/b-stage", namespace: "drivers") == 403)
        #expect(await status(endpoint, "secrets/a-stage") == 403)
    }
}
