import KubernetesAPI
import Testing

@testable import NodeAgent

@Suite("What a manifest file defines")
struct ManifestFileTests {
    private static let file = "/m/web.yaml"

    private func parse(_ text: String, file: String = file, node: String = "node-a") throws -> ManifestFile {
        try ManifestFile.parse(text, file: file, nodeName: node)
    }

    private func problems(_ text: String) -> [String] {
        do throws(ManifestFile.ManifestProblems) {
            _ = try ManifestFile.parse(text, file: Self.file, nodeName: "node-a")
            return []
        } catch {
            return error.list.map(\.message)
        }
    }

    private static let web = """
        apiVersion: v1
        kind: Pod
        metadata:
          name: web
          uid: ../../etc
          resourceVersion: "7"
          annotations: {kubernetes.io/config.mirror: x, kubernetes.io/config.source: api, team: blue}
        spec:
          nodeName: elsewhere
          containers:
          - name: c
            image: busybox
        status: {phase: Succeeded}
        """

    @Test("a static pod has the identity, marks and defaults of this node")
    func staticPod() throws {
        let pod = try #require(try parse(Self.web).pods.first?.object)
        let uid = try #require(pod.metadata.uid)
        #expect(uid.count == 32 && uid.allSatisfy { $0.isHexDigit && !$0.isUppercase })
        #expect(pod.metadata.name == "web-node-a")
        #expect(pod.metadata.namespace == "default")
        #expect(pod.metadata.resourceVersion == nil)
        #expect(
            pod.metadata.annotations == [
                "kubernetes.io/config.source": "file", "kubernetes.io/config.hash": uid, "team": "blue",
            ])
        #expect(pod.isStatic)
        #expect(pod.spec.nodeName == "node-a")
        #expect(pod.spec.tolerations == [Toleration(operator: "Exists", effect: "NoExecute")])
        #expect(pod.spec.restartPolicy == "Always")
        #expect(pod.status == PodStatus(phase: "Pending"))
    }

    @Test("the UID stays with the definition and goes with any change of it")
    func uid() throws {
        func uid(_ text: String, file: String = Self.file, node: String = "n") throws -> String? {
            try parse(text, file: file, node: node).pods.first?.object.metadata.uid
        }
        let first = try uid(Self.web)
        #expect(try uid("# a comment\n" + Self.web) == first)
        #expect(try uid(Self.web.replacing("busybox", with: "busybox:2")) != first)
        #expect(try uid(Self.web, file: "/m/other.yaml") != first)
        #expect(try uid(Self.web, node: "m") != first)
    }

    @Test("documents, lists and JSON are read, each kind in its place")
    func documents() throws {
        let text = """
            ---
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: settings}
            data: {a: b}
            ---
            apiVersion: v1
            kind: Secret
            metadata: {name: key, namespace: other}
            stringData: {a: b}
            ---
            apiVersion: v1
            kind: List
            items:
            - {apiVersion: v1, kind: Pod, metadata: {name: one}, spec: {containers: [{name: c, image: i}]}}
            """
        let manifest = try parse(text)
        #expect(manifest.configMaps.map(\.object.metadata.namespace) == ["default"])
        #expect(manifest.secrets.first?.object.data == ["a": "Yg=="])
        #expect(manifest.pods.map(\.object.metadata.name) == ["one-node-a"])
        let json =
            #"{"apiVersion":"v1","kind":"PodList","items":[{"metadata":{"name":"j"},"spec":{"containers":[{"name":"c","image":"i"}]}}]}"#
        #expect(try parse(json).pods.map(\.object.metadata.name) == ["j-node-a"])
        #expect(try parse("").pods.isEmpty)
    }

    @Test(
        "a mistake is named with place, field and reason",
        arguments: [
            ("a: [", "/m/web.yaml:"),
            ("kind: Pod\napiVersion: v1\nmetadata: {name: a}\nspec: {}", "spec.containers: Required value"),
            (
                "kind: Pod\napiVersion: v1\nmetadata: {name: a}\nspec:\n  contianers: []",
                "/m/web.yaml:5:3: spec.contianers: unknown field"
            ),
            (
                "kind: Pod\napiVersion: v1\nmetadata:\n  name: A_b\nspec: {containers: [{name: c, image: i}]}",
                "/m/web.yaml:4:3: metadata.name: Invalid value"
            ),
            ("kind: Pod\napiVersion: v1\nmetadata: {name: a}\nspec:\n  hostPID: 7", "spec.hostPID: "),
            ("kind: Deployment\napiVersion: apps/v1", "apps/v1/Deployment cannot be run from a manifest"),
            ("apiVersion: v1", "kind: Required value"),
            ("- 1", "kind: Required value"),
            ("kind: List\napiVersion: v1", "items: Required value"),
        ])
    func mistakes(text: String, expected: String) {
        let found = problems(text)
        #expect(found.contains { $0.contains(expected) }, "\(found)")
        #expect(found.allSatisfy { $0.hasPrefix("/m/web.yaml:") })
    }

    @Test(
        "what only an API server could give a pod is refused, and what other manifests give is not",
        arguments: [
            (
                "serviceAccountName: a",
                "spec.serviceAccountName: Forbidden: static pods may not reference serviceaccounts"
            ),
            (
                "volumes: [{name: v, ephemeral: {volumeClaimTemplate: {}}}]",
                "spec.volumes[0].ephemeral: Forbidden: static pods may not reference persistentvolumeclaims"
            ),
            (
                "ephemeralContainers: [{name: e, image: i}]",
                "spec.ephemeralContainers: Forbidden: cannot be set on create"
            ),
            ("volumes: [{name: v, configMap: {name: m}}, {name: s, secret: {secretName: s}}]", nil),
            ("volumes: [{name: v, persistentVolumeClaim: {claimName: c}}]", nil),
        ] as [(String, String?)])
    func references(field: String, expected: String?) {
        let found = problems(
            "kind: Pod\napiVersion: v1\nmetadata: {name: a}\nspec:\n  containers: [{name: c, image: i}]\n  \(field)")
        #expect(found.contains { $0.contains(expected ?? "") } == (expected != nil), "\(found)")
        #expect(found.allSatisfy { $0.hasPrefix("/m/web.yaml:6:") })
    }

    @Test("a secret's value is in no message")
    func secrecy() {
        let found = problems("kind: Secret\napiVersion: v1\nmetadata: {name: s}\ndata: {a: hunter2!}")
        #expect(!found.isEmpty)
        #expect(!found.contains { $0.contains("hunter2") })
    }

    @Test("one mistake of many refuses the whole file")
    func wholeFile() {
        #expect(!problems(Self.web + "\n---\nkind: Pod\napiVersion: v1\nmetadata: {name: b}").isEmpty)
    }
}

@Suite("The hash of static pods")
struct FNV1a128Tests {
    @Test(
        "the published test vectors come out",
        arguments: [
            ("", "6c62272e07bb014262b821756295c58d"), ("a", "d228cb696f1a8caf78912b704e4a8964"),
            ("foobar", "343e1662793c64bf6f0d3597ba446f18"),
        ])
    func vectors(text: String, expected: String) {
        var hash = FNV1a128()
        hash.combine(text.utf8)
        #expect(hash.hexadecimal == expected)
    }
}
