import KubernetesAPI
import Testing

@Suite("Field errors and paths")
struct FieldErrorTests {
    @Test("a field error reads as Kubernetes words it")
    func descriptions() {
        let path = FieldPath("spec", "containers").index(0).child("name")
        #expect(FieldError.required(path).description == "spec.containers[0].name: Required value")
        #expect(
            FieldError.invalid(path, "A", "must be lowercase").description
                == #"spec.containers[0].name: Invalid value: "A": must be lowercase"#)
        #expect(
            FieldError.invalid("spec.x", 70_000, "too large").description == "spec.x: Invalid value: 70000: too large")
        #expect(FieldError.duplicate(path, "a").description == #"spec.containers[0].name: Duplicate value: "a""#)
        #expect(
            FieldError.notSupported("spec.restartPolicy", "x", ["Never", "Always"]).description
                == #"spec.restartPolicy: Unsupported value: "x": supported values: "Always", "Never""#)
        #expect(FieldError.forbidden("spec", "may not change").description == "spec: Forbidden: may not change")
        #expect(FieldError.tooLong("a", maximumBytes: 63).description == "a: Too long: may not be more than 63 bytes")
        #expect(
            FieldError.tooMany("a", actual: 3, maximum: 1).description == "a: Too many: 3: must have at most 1 item")
        #expect(FieldError.notFound("a", "b").description == #"a: Not found: "b""#)
        #expect(FieldError.required(.root, "x").description == "Required value: x")
    }

    @Test("paths are written with dots, indexes and keys")
    func paths() {
        #expect(FieldPath("metadata", "labels").key("a.b/c").description == "metadata.labels[a.b/c]")
        #expect(FieldPath.root.index(1).child("a", "b").description == "[1].a.b")
        #expect(("spec.containers" as FieldPath) == FieldPath("spec", "containers"))
    }

    @Test("a resource definition gives its paths")
    func resourcePaths() {
        let pods = ResourceDefinition(version: "v1", kind: "Pod", plural: "pods", namespaced: true)
        let nodes = ResourceDefinition(version: "v1", kind: "Node", plural: "nodes", namespaced: false)
        let deployments = ResourceDefinition(
            group: "apps", version: "v1", kind: "Deployment", plural: "deployments", namespaced: true)
        #expect(pods.path() == "/api/v1/pods")
        #expect(pods.path(namespace: "a", name: "b", subresource: "status") == "/api/v1/namespaces/a/pods/b/status")
        #expect(nodes.path(namespace: "a", name: "b") == "/api/v1/nodes/b")
        #expect(deployments.path(namespace: "a") == "/apis/apps/v1/namespaces/a/deployments")
        #expect(deployments.apiVersion == "apps/v1" && deployments.singular == "deployment")
    }

    @Test("a name cannot leave its place in a path", arguments: ["../x", "..", ".", "a/b", "a?b", "a#b", "a%2fb", "é"])
    func escaping(name: String) {
        let pods = ResourceDefinition(version: "v1", kind: "Pod", plural: "pods", namespaced: true)
        let last = pods.path(namespace: "d", name: name).dropFirst("/api/v1/namespaces/d/pods/".count)
        #expect(!last.contains("/") && !last.contains("?") && !last.contains("#") && last != ".." && last != ".")
        #expect(last.contains("%"))
    }
}
