import KubernetesAPI
import Testing

@Suite("Validation: other kinds")
struct ValidationObjectsTests {
    private let metadata = ObjectMeta(name: "a", namespace: "b")

    private func messages(_ object: some Validatable) -> [String] { object.validate().map(\.description) }

    @Test(
        "a key that could leave its directory is refused",
        arguments: ["../x", "a/b", "", "..", ".", "..data", "a\u{0}b", "a b", String(repeating: "k", count: 254)])
    func dataKeys(key: String) {
        let configMap = ConfigMap(metadata: metadata, data: [key: "v"])
        #expect(configMap.validate().allSatisfy { $0.field.description == "data[\(key)]" })
        #expect(!configMap.validate().isEmpty)
        #expect(!ConfigMap(metadata: metadata, binaryData: [key: "AA=="]).validate().isEmpty)
        #expect(!Secret(metadata: metadata, data: [key: "AA=="]).validate().isEmpty)
    }

    @Test("keys that are fine are fine", arguments: ["a", "A_b.c-d", "ca.crt", ".hidden", "x..y"])
    func goodKeys(key: String) {
        #expect(messages(ConfigMap(metadata: metadata, data: [key: "v"])) == [])
    }

    @Test("a ConfigMap or Secret has at most 1 MiB")
    func sizes() {
        let mebibyte = String(repeating: "x", count: 1024 * 1024)
        #expect(messages(ConfigMap(metadata: metadata, data: ["k": mebibyte])) == [])
        #expect(
            messages(ConfigMap(metadata: metadata, data: ["k": mebibyte, "l": "x"]))
                == ["Too long: may not be more than 1048576 bytes"])
        let encoded = Base64.encode(mebibyte.utf8)
        #expect(messages(Secret(metadata: metadata, data: ["k": encoded], type: "Opaque")) == [])
        #expect(
            messages(Secret(metadata: metadata, data: ["k": encoded, "l": "eA=="], type: "Opaque"))
                == ["data: Too long: may not be more than 1048576 bytes"])
    }

    @Test("a key may be in data or in binaryData, and binary values are base64")
    func binaryData() {
        #expect(
            messages(ConfigMap(metadata: metadata, data: ["k": ""], binaryData: ["k": "AA=="]))
                == [#"data[k]: Invalid value: "k": duplicate of key present in binaryData"#])
        let secret = Secret(metadata: metadata, data: ["k": "hunter2!"])
        #expect(messages(secret) == [#"data[k]: Invalid value: "<secret contents redacted>": must be base64"#])
    }

    @Test("an immutable ConfigMap or Secret stays as it is")
    func immutable() {
        let old = ConfigMap(metadata: metadata, immutable: true, data: ["a": "b"])
        var new = old
        new.metadata.labels = ["x": "y"]
        #expect(new.validateUpdate(old: old) == [])
        new.immutable = nil
        new.data = [:]
        #expect(
            new.validateUpdate(old: old).map(\.description) == [
                "immutable: Forbidden: field is immutable when `immutable` is set",
                "data: Forbidden: field is immutable when `immutable` is set",
            ])
        let oldSecret = Secret(metadata: metadata, immutable: true, data: ["a": "eA=="], type: "Opaque")
        var newSecret = oldSecret
        newSecret.data = ["a": "eQ=="]
        newSecret.type = "kubernetes.io/tls"
        #expect(
            newSecret.validateUpdate(old: oldSecret).map(\.field.description) == ["type", "data"])
    }

    @Test("known secret types need their keys")
    func secretTypes() {
        func fields(_ type: String, _ data: [String: String] = [:]) -> [String] {
            Secret(metadata: metadata, data: data, type: type).validate().map(\.field.description)
        }
        #expect(fields("kubernetes.io/tls") == ["data[tls.crt]", "data[tls.key]"])
        #expect(fields("kubernetes.io/dockerconfigjson") == ["data[.dockerconfigjson]"])
        #expect(fields("kubernetes.io/basic-auth", ["username": "eA=="]) == [])
        #expect(fields("kubernetes.io/basic-auth").count == 2)
        #expect(fields("example.com/own") == [])
    }

    @Test("services need ports, named when there are several, and a DNS-1035 name")
    func services() throws {
        func fields(_ spec: String, name: String = "a") throws -> [String] {
            var service = Service(
                metadata: ObjectMeta(name: name, namespace: "b"), spec: try decodedObject(ServiceSpec.self, spec))
            service.applyDefaults()
            return service.validate().map(\.field.description)
        }
        #expect(try fields("{}") == ["spec.ports"])
        #expect(try fields(#"{"clusterIP":"None"}"#) == [])
        #expect(try fields(#"{"ports":[{"port":80}]}"#, name: "1a") == ["metadata.name"])
        #expect(
            try fields(#"{"ports":[{"port":80},{"port":81}]}"#) == ["spec.ports[0].name", "spec.ports[1].name"])
        #expect(
            try fields(#"{"ports":[{"name":"a","port":80},{"name":"a","port":80}]}"#)
                == ["spec.ports[1].name", "spec.ports[1]"])
        #expect(
            try fields(#"{"ports":[{"port":0,"targetPort":70000,"protocol":"ICMP"}]}"#)
                == ["spec.ports[0].port", "spec.ports[0].protocol", "spec.ports[0].targetPort"])
        #expect(try fields(#"{"ports":[{"port":80,"nodePort":30000}]}"#) == ["spec.ports[0].nodePort"])
        #expect(try fields(#"{"ports":[{"port":80}],"clusterIP":"10.0.0.999"}"#) == ["spec.clusterIP"])
        #expect(try fields(#"{"ports":[{"port":80}],"type":"Other"}"#) == ["spec.type"])
        #expect(try fields(#"{"type":"ExternalName"}"#) == ["spec.externalName"])
        #expect(try fields(#"{"type":"ExternalName","externalName":"db.example.com."}"#) == [])
        #expect(try fields(#"{"ports":[{"port":80}],"selector":{"a b":"c"}}"#) == ["spec.selector"])
    }

    @Test("a node's taints are unique and its quantities not negative; its CIDR is given once")
    func nodes() {
        let taint = Taint(key: "k", effect: "NoSchedule")
        var node = Node(
            metadata: ObjectMeta(name: "n"), spec: NodeSpec(taints: [taint, taint, Taint(key: "", effect: "Maybe")]),
            status: NodeStatus(capacity: ["cpu": .milli(-1)]))
        #expect(
            node.validate().map(\.field.description) == [
                "spec.taints[1]", "spec.taints[2].key", "spec.taints[2].effect", "status.capacity[cpu]",
            ])
        node = Node(metadata: ObjectMeta(name: "n"), spec: NodeSpec(podCIDR: "10.0.0.0/24", podCIDRs: ["10.0.0.0/33"]))
        #expect(node.validate().map(\.field.description) == ["spec.podCIDRs[0]", "spec.podCIDRs[0]"])
        let old = Node(metadata: ObjectMeta(name: "n"), spec: NodeSpec(podCIDR: "10.0.0.0/24"))
        var new = Node(metadata: ObjectMeta(name: "n"))
        #expect(new.validateUpdate(old: old).map(\.field.description) == ["spec.podCIDR"])
        new.spec.podCIDR = "10.0.0.0/24"
        #expect(new.validateUpdate(old: old) == [])
        #expect(old.validateUpdate(old: Node(metadata: ObjectMeta(name: "n"))) == [])
    }

    @Test("a lease lasts a positive time")
    func leases() {
        var lease = Lease(metadata: metadata, spec: LeaseSpec(leaseDurationSeconds: 0, leaseTransitions: -1))
        #expect(
            messages(lease) == [
                "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
                "spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0",
            ])
        lease.spec = LeaseSpec(leaseDurationSeconds: 40)
        #expect(messages(lease) == [])
    }

    @Test("an event lives in the namespace of what it is about")
    func events() {
        var event = Event(metadata: metadata, involvedObject: ObjectReference(kind: "Pod", namespace: "b", name: "p"))
        #expect(messages(event) == [])
        event.involvedObject.namespace = "other"
        #expect(
            messages(event) == [
                #"involvedObject.namespace: Invalid value: "other": does not match event.namespace"#
            ])
        event.involvedObject = ObjectReference(kind: "Node", name: "n")
        event.metadata.namespace = "default"
        #expect(messages(event) == [])
    }

    @Test("a binding names a node")
    func bindings() {
        #expect(messages(Binding(target: ObjectReference(kind: "Node", name: "n"))) == [])
        #expect(
            Binding(target: ObjectReference(kind: "Pod")).validate().map(\.field.description)
                == ["target.kind", "target.name"])
    }
}
