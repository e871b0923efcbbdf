import KubernetesAPI
import NodeAgent
import Testing
import Volumes

@Suite struct EnvironmentContainerTests {
    private let pod = Pod(
        metadata: ObjectMeta(name: "web-0", namespace: "shop", uid: "u-1", labels: ["tier": "front"]))

    private func inputs(
        configMaps: [String: [String: String]] = [:], secrets: [String: [String: [UInt8]]] = [:],
        services: [Service] = [], image: [String] = [], home: String? = nil
    ) -> EnvironmentInputs {
        EnvironmentInputs(
            objects: PodObjects(
                configMaps: configMaps.mapValues { ConfigMap(data: $0) },
                secrets: secrets.mapValues { Secret(data: $0.mapValues { Base64.encode($0) }) }),
            services: services,
            placement: DownwardAPI.Placement(nodeName: "n1", podIPs: ["10.0.0.2", "fd00::2"], hostIPs: ["192.0.2.1"]),
            nodeAllocatable: ["cpu": .cores(4)], hostname: "web-0", imageEnvironment: image, home: home)
    }

    private func build(
        _ env: [EnvVar], from envFrom: [EnvFromSource] = [], _ inputs: EnvironmentInputs? = nil, tty: Bool? = nil
    ) throws -> ContainerEnvironment {
        try ContainerEnvironment.build(
            pod: pod, container: Container(name: "main", envFrom: envFrom, env: env, tty: tty),
            inputs: inputs ?? self.inputs())
    }

    private func configMapKey(_ name: String, _ key: String, optional: Bool? = nil) -> EnvVar {
        EnvVar(
            name: "V",
            valueFrom: EnvVarSource(configMapKeyRef: ConfigMapKeySelector(name: name, key: key, optional: optional)))
    }

    private func secretKey(_ name: String, _ key: String, optional: Bool? = nil) -> EnvVar {
        EnvVar(
            name: "V",
            valueFrom: EnvVarSource(secretKeyRef: SecretKeySelector(name: name, key: key, optional: optional)))
    }

    @Test("a container that asks for nothing gets PATH and HOSTNAME")
    func minimum() throws {
        #expect(
            try build([]).entries == [
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=web-0",
            ])
        #expect(try build([], tty: true).entries.contains("TERM=xterm"))
        #expect(
            try build([], inputs(image: ["PATH=/bin", "X=a=b", "junk"])).entries == [
                "PATH=/bin", "X=a=b", "HOSTNAME=web-0",
            ])
    }

    @Test("runtime < image < services < envFrom in order < env in order")
    func precedence() throws {
        let service = Service(
            metadata: ObjectMeta(name: "a", namespace: "shop"),
            spec: ServiceSpec(ports: [ServicePort(port: 1)], clusterIP: "10.0.0.9"))
        let inputs = inputs(
            configMaps: [
                "one": ["K": "one", "L": "one", "A_SERVICE_HOST": "one"], "two": ["L": "two"],
            ], services: [service], image: ["K=image", "HOME=/image", "A_SERVICE_PORT=image"], home: "/root")
        let environment = try build(
            [EnvVar(name: "N", value: "1"), EnvVar(name: "K", value: "env"), EnvVar(name: "N", value: "2")],
            from: ["one", "two"].map { EnvFromSource(configMapRef: ConfigMapEnvSource(name: $0)) }, inputs)
        let all = environment.entries
        for expected in ["K=env", "L=two", "N=2", "HOME=/image", "A_SERVICE_HOST=one", "A_SERVICE_PORT=1"] {
            #expect(all.contains(expected))
        }
        #expect(Set(all.map { $0.prefix { $0 != "=" } }).count == all.count, "a key twice")
        #expect(environment.variables["A_SERVICE_PORT"] == "1")
        #expect(environment.variables["HOME"] == nil, "the image's variables are not expanded")
    }

    @Test("values expand what is defined before them; $$ escapes; unknown stays")
    func expansion() throws {
        let environment = try build(
            [
                EnvVar(name: "LATE", value: "$(B)"), EnvVar(name: "A", value: "a"),
                EnvVar(name: "B", value: "$(A)$(F)"),
                EnvVar(name: "C", value: "$$(A) $(nope)"), EnvVar(name: "EMPTY"),
            ], from: [EnvFromSource(prefix: "", configMapRef: ConfigMapEnvSource(name: "m"))],
            inputs(configMaps: ["m": ["F": "f"]]))
        #expect(
            environment.variables == ["LATE": "$(B)", "A": "a", "B": "af", "C": "$(A) $(nope)", "EMPTY": "", "F": "f"])
        #expect(try environment.expand(["run", "$(B)-$(HOSTNAME)", "$$(B)"]) == ["run", "af-$(HOSTNAME)", "$(B)"])
    }

    @Test("fields, resources, ConfigMap and Secret keys")
    func sources() throws {
        func field(_ path: String) -> EnvVarSource { EnvVarSource(fieldRef: ObjectFieldSelector(fieldPath: path)) }
        let environment = try build(
            [
                EnvVar(name: "IP", valueFrom: field("status.podIP")),
                EnvVar(name: "IPS", valueFrom: field("status.podIPs")),
                EnvVar(name: "NODE", valueFrom: field("spec.nodeName")),
                EnvVar(name: "TIER", valueFrom: field("metadata.labels['tier']")),
                EnvVar(
                    name: "CPU",
                    valueFrom: EnvVarSource(resourceFieldRef: ResourceFieldSelector(resource: "limits.cpu"))),
                configMapKey("m", "k"), EnvVar(name: "W", value: "[$(V)]"),
            ], from: [EnvFromSource(prefix: "S_", secretRef: SecretEnvSource(name: "s"))],
            inputs(configMaps: ["m": ["k": "v"]], secrets: ["s": ["t": Array("secret".utf8)]]))
        #expect(
            environment.variables == [
                "IP": "10.0.0.2", "IPS": "10.0.0.2,fd00::2", "NODE": "n1", "TIER": "front", "CPU": "4", "V": "v",
                "W": "[v]", "S_t": "secret",
            ])
    }

    @Test("what is missing is named as Kubernetes names it")
    func missing() {
        let given = inputs(configMaps: ["m": [:]], secrets: ["s": [:]])
        func expect(_ message: String, _ env: [EnvVar], from envFrom: [EnvFromSource] = []) {
            #expect(throws: EnvironmentError(.notFound, message)) { try build(env, from: envFrom, given) }
        }
        expect("couldn't find key k in ConfigMap shop/m", [configMapKey("m", "k")])
        expect("couldn't find key k in Secret shop/s", [secretKey("s", "k")])
        expect("configmap \"x\" not found", [configMapKey("x", "k")])
        expect("secret \"x\" not found", [secretKey("x", "k")])
        expect("configmap \"x\" not found", [], from: [EnvFromSource(configMapRef: ConfigMapEnvSource(name: "x"))])
        expect("secret \"x\" not found", [], from: [EnvFromSource(secretRef: SecretEnvSource(name: "x"))])
    }

    @Test("what is optional and missing is left out")
    func optional() throws {
        let envFrom = [
            EnvFromSource(configMapRef: ConfigMapEnvSource(name: "x", optional: true)),
            EnvFromSource(secretRef: SecretEnvSource(name: "x", optional: true)),
        ]
        for variable in [
            configMapKey("m", "k", optional: true), configMapKey("x", "k", optional: true),
            secretKey("s", "k", optional: true), secretKey("x", "k", optional: true),
        ] {
            let environment = try build(
                [variable], from: envFrom, inputs(configMaps: ["m": [:]], secrets: ["s": [:]]))
            #expect(environment.variables.isEmpty)
        }
    }

    @Test("keys that cannot be names are left out and reported; any other printable ASCII is a name")
    func names() throws {
        let environment = try build(
            [], from: [EnvFromSource(configMapRef: ConfigMapEnvSource(name: "m"))],
            inputs(configMaps: ["m": ["a=b": "1", "é": "1", "my.key-1 x": "2"]]))
        #expect(environment.variables == ["my.key-1 x": "2"])
        #expect(environment.skippedKeys.sorted() == ["m/a=b", "m/é"])
    }

    @Test("values no environment can hold are refused, and the error does not show them")
    func refusedValues() {
        let secrets: [String: [UInt8]] = ["nul": Array("secret\0x".utf8), "raw": [0xFF, 0xFE]]
        for key in secrets.keys {
            #expect {
                try build([secretKey("s", key)], inputs(secrets: ["s": secrets]))
            } throws: { error in
                let error = error as? EnvironmentError
                return error?.code == .invalid && error?.message.contains("secret\0") == false
            }
        }
        #expect(throws: EnvironmentError.self) { try build([EnvVar(name: "a=b", value: "1")]) }
        #expect(throws: EnvironmentError.self) { try build([EnvVar(name: "", value: "1")]) }
    }

    @Test("variables that double at every step end in an error, not in all of memory")
    func exponential() {
        var env = [EnvVar(name: "V0", value: String(repeating: "x", count: 1024))]
        for index in 1..<40 { env.append(EnvVar(name: "V\(index)", value: "$(V\(index - 1))$(V\(index - 1))")) }
        #expect(throws: EnvironmentError.self) { try build(env) }
    }

    @Test("what this node cannot provide is refused by name")
    func unsupported() {
        let source = EnvVarSource(fileKeyRef: FileKeySelector(volumeName: "v", path: "p", key: "k"))
        #expect { try build([EnvVar(name: "F", valueFrom: source)]) } throws: {
            ($0 as? EnvironmentError)?.code == .unsupported
        }
    }

    @Test("the objects a container needs are known beforehand")
    func objectNames() {
        let container = Container(
            name: "main",
            envFrom: [
                EnvFromSource(configMapRef: ConfigMapEnvSource(name: "a")),
                EnvFromSource(secretRef: SecretEnvSource(name: "b")),
            ], env: [configMapKey("c", "k"), secretKey("d", "k"), EnvVar(name: "E", value: "e")])
        #expect(
            ContainerEnvironment.objectNames(for: container)
                == PodObjectNames(configMaps: ["a", "c"], secrets: ["b", "d"]))
    }

    @Test("an object that cannot be read now is not taken for missing")
    func unavailable() async {
        struct Unreachable: VolumeObjectSource {
            func configMap(namespace: String, name: String) async throws(VolumeError) -> ConfigMap? {
                throw VolumeError(.sourceUnavailable, "connection refused")
            }
            func secret(namespace: String, name: String) async throws(VolumeError) -> Secret? { nil }
        }
        var inputs = inputs()
        inputs.objects = await PodObjects.fetch(
            PodObjectNames(configMaps: ["m"]), namespace: "shop", from: Unreachable())
        #expect(
            throws: EnvironmentError(
                .sourceUnavailable, "configmap \"shop/m\" cannot be read now: connection refused")
        ) {
            try build([configMapKey("m", "k", optional: true)], inputs)
        }
    }

    @Test("a printed environment shows no value")
    func redaction() throws {
        let environment = try build([EnvVar(name: "A", value: "s3cret")])
        var dumped = ""
        dump(environment, to: &dumped)
        #expect(!"\(environment)\(String(reflecting: environment))\(dumped)".contains("s3cret"))
    }
}
