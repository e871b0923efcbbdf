import KubernetesAPI
import Testing

@Suite("Kinds that are kept for others")
struct StoredKindsValidationTests {
    private static let template: JSONValue = [
        "metadata": ["labels": ["app": "web"]], "spec": ["containers": [["name": "a", "image": "example.org/a"]]],
    ]

    private static func read<T: Decodable>(_ type: T.Type, _ spec: JSONValue) throws -> T {
        try JSONValueDecoder().decode(type, from: ["metadata": ["name": "web", "namespace": "default"], "spec": spec])
    }

    private static func fields(_ errors: [FieldError]) -> [String] { errors.map { $0.field.description } }

    @Test("a stateful set gets the defaults of Kubernetes, and only some of it may change")
    func statefulSet() throws {
        var set = try Self.read(
            StatefulSet.self, ["selector": ["matchLabels": ["app": "web"]], "template": Self.template])
        set.applyDefaults()
        #expect(set.validate().isEmpty)
        #expect(set.spec.replicas == 1 && set.spec.podManagementPolicy == "OrderedReady")
        #expect(set.spec.updateStrategy?.rollingUpdate?.partition == 0)
        var changed = set
        changed.spec.replicas = 3
        #expect(changed.validateUpdate(old: set).isEmpty)
        changed.spec.serviceName = "other"
        #expect(Self.fields(changed.validateUpdate(old: set)) == ["spec"])
    }

    @Test("a daemon set takes one bound of its rolling update, not both")
    func daemonSet() throws {
        var set = try Self.read(
            DaemonSet.self, ["selector": ["matchLabels": ["app": "web"]], "template": Self.template])
        set.applyDefaults()
        #expect(set.validate().isEmpty)
        #expect(set.spec.updateStrategy?.rollingUpdate?.maxUnavailable == 1)
        set.spec.updateStrategy?.rollingUpdate?.maxSurge = 1
        #expect(Self.fields(set.validate()) == ["spec.updateStrategy.rollingUpdate.maxSurge"])
    }

    @Test("an autoscaler without figures follows 80 % of the processor time, and its bounds are in order")
    func autoscaler() throws {
        var scaler = try Self.read(
            HorizontalPodAutoscaler.self, ["scaleTargetRef": ["kind": "Deployment", "name": "web"], "maxReplicas": 3])
        scaler.applyDefaults()
        #expect(scaler.validate().isEmpty)
        #expect(scaler.spec.metrics == [.processorTime(80)])
        scaler.spec.minReplicas = 4
        #expect(Self.fields(scaler.validate()) == ["spec.maxReplicas"])
    }

    @Test("an ingress needs something to do, and each path a type and one backend")
    func ingress() throws {
        #expect(Self.fields(try Self.read(Ingress.self, [:]).validate()) == ["spec"])
        let path: JSONValue = ["path": "/", "backend": ["service": ["name": "web", "port": ["number": 80]]]]
        let ingress = try Self.read(Ingress.self, ["rules": [["http": ["paths": [path]]]]])
        #expect(Self.fields(ingress.validate()) == ["spec.rules[0].http.paths[0].pathType"])
    }

    @Test("a network policy says what it is about")
    func networkPolicy() throws {
        var policy = try Self.read(NetworkPolicy.self, ["podSelector": [:], "egress": [["ports": [["port": 53]]]]])
        policy.applyDefaults()
        #expect(policy.validate().isEmpty)
        #expect(policy.spec.policyTypes == ["Ingress", "Egress"])
        #expect(policy.spec.egress?.first?.ports?.first?.protocol == "TCP")
        policy.spec.egress?[0].to = [NetworkPolicyPeer()]
        #expect(Self.fields(policy.validate()) == ["spec.egress[0].to[0]"])
    }

    @Test("a slice has addresses of its type")
    func slice() throws {
        var slice = EndpointSlice()
        (slice.metadata.name, slice.metadata.namespace, slice.addressType) = ("web", "default", "IPv4")
        var endpoint = Endpoint()
        endpoint.addresses = ["192.0.2.1", "2001:db8::1"]
        slice.endpoints = [endpoint]
        #expect(Self.fields(slice.validate()) == ["endpoints[0].addresses[1]"])
    }
}
