import KubernetesAPI
import Testing

@Suite("Validation: names and metadata")
struct ValidationNamesTests {
    static let bad = [
        "../x", "a/b", "Upper", "a_b", "-a", "a-", "a..b", "a b", "a\u{0}b", "é", "a\n", ".", "..", "K\u{301}",
    ]

    private func pod(_ name: String) -> Pod {
        Pod(
            metadata: ObjectMeta(name: name, namespace: "default"),
            spec: PodSpec(containers: [Container(name: "c", image: "i")]))
    }

    private func errors(_ object: some Validatable) -> [String] { object.validate().map(\.description) }

    @Test("no bad name passes anywhere a name is used", arguments: bad)
    func badNames(name: String) {
        #expect(pod(name).validate().contains { $0.field.description == "metadata.name" })
        var namespaced = pod("a")
        namespaced.metadata.namespace = name
        #expect(namespaced.validate().contains { $0.field.description == "metadata.namespace" })
        var inside = pod("a")
        inside.spec.containers[0].name = name
        inside.spec.volumes = [Volume(name: name, emptyDir: .init())]
        inside.spec.nodeName = name
        inside.spec.hostname = name
        let fields = Set(inside.validate().map(\.field.description))
        #expect(
            fields.isSuperset(of: [
                "spec.containers[0].name", "spec.volumes[0].name", "spec.nodeName", "spec.hostname",
            ]))
        #expect(!errors(Namespace(metadata: ObjectMeta(name: name))).isEmpty)
        #expect(!errors(Node(metadata: ObjectMeta(name: name))).isEmpty)
        #expect(!errors(ConfigMap(metadata: ObjectMeta(name: name, namespace: "a"))).isEmpty)
        #expect(!errors(Secret(metadata: ObjectMeta(name: name, namespace: "a"))).isEmpty)
        #expect(!errors(Lease(metadata: ObjectMeta(name: name, namespace: "a"))).isEmpty)
    }

    @Test("the reason is worded as the API server words it")
    func wording() {
        #expect(
            errors(pod("Bad")) == [
                #"metadata.name: Invalid value: "Bad": a lowercase RFC 1123 subdomain must consist of lower case "#
                    + "alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character "
                    + "(e.g. 'example.com', regex used for validation is "
                    + #"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"#
            ])
        #expect(errors(pod("")) == ["metadata.name: Required value: name or generateName is required"])
        var dotted = pod("a.b")
        dotted.spec.containers[0].name = "a.b"
        #expect(errors(dotted) == [#"spec.containers[0].name: Invalid value: "a.b": must not contain dots"#])
    }

    @Test("lengths are limited: 63 for labels, 253 for subdomains")
    func lengths() {
        let label = String(repeating: "a", count: 63)
        #expect(errors(Namespace(metadata: ObjectMeta(name: label))) == [])
        #expect(errors(Namespace(metadata: ObjectMeta(name: label + "a"))).count == 1)
        let subdomain = String(repeating: "a", count: 253)
        #expect(errors(pod(subdomain)) == [])
        #expect(errors(pod(subdomain + "a")).count == 1)
    }

    @Test("names that are fine are fine", arguments: ["a", "0", "a-b", "a.b.c", "web-7d9c5-x"])
    func goodNames(name: String) {
        #expect(errors(pod(name)) == [])
    }

    @Test("a generated name is enough, and its prefix may end with a hyphen")
    func generateName() {
        var generated = pod("")
        generated.metadata.generateName = "web-"
        #expect(errors(generated) == [])
        generated.metadata.generateName = "Web-"
        #expect(errors(generated).count == 1)
    }

    @Test("labels, annotations, owners and finalizers are checked")
    func metadata() {
        var bad = pod("a")
        bad.metadata.labels = ["a/b/c": "x", "k": "bad value", "/n": ""]
        bad.metadata.finalizers = ["a b", "orphan", "foregroundDeletion"]
        bad.metadata.ownerReferences = [
            OwnerReference(apiVersion: "v1", kind: "K", name: "a", uid: "", controller: true),
            OwnerReference(apiVersion: "v1", kind: "K", name: "b", uid: "u", controller: true),
        ]
        bad.metadata.annotations = ["Key": String(repeating: "x", count: 256 * 1024)]
        let fields = bad.validate().map(\.field.description)
        #expect(fields.count { $0 == "metadata.labels" } == 3)
        #expect(fields.count { $0 == "metadata.finalizers" } == 2)
        #expect(fields.contains("metadata.ownerReferences[0].uid") && fields.contains("metadata.ownerReferences"))
        #expect(
            errors(bad).contains("metadata.annotations: Too long: may not be more than 262144 bytes"))
        bad.metadata = ObjectMeta(name: "a", namespace: "b", labels: ["app.kubernetes.io/name": "Web_1.x"])
        #expect(errors(bad) == [])
    }

    @Test("cluster-scoped kinds have no namespace and namespaced ones need one")
    func namespaces() {
        #expect(
            errors(Node(metadata: ObjectMeta(name: "n", namespace: "x")))
                == ["metadata.namespace: Forbidden: not allowed on this type"])
        var bare = pod("a")
        bare.metadata.namespace = nil
        #expect(errors(bare) == ["metadata.namespace: Required value"])
    }

    @Test("identity cannot be changed by an update")
    func metadataUpdate() {
        let old = pod("a")
        var new = pod("b")
        new.metadata.namespace = "other"
        new.metadata.uid = "u"
        let fields = new.validateUpdate(old: old).map(\.field.description)
        #expect(fields == ["metadata.name", "metadata.namespace", "metadata.uid"])
        var deleting = pod("a")
        deleting.metadata.deletionTimestamp = Timestamp(seconds: 5)
        var finalized = deleting
        finalized.metadata.finalizers = ["example.com/x"]
        #expect(finalized.validateUpdate(old: deleting).map(\.field.description) == ["metadata.finalizers"])
    }
}
