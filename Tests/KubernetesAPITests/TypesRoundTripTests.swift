import KubernetesAPI
import Testing

@Suite("Types: golden round trips")
struct TypesRoundTripTests {
    static let types: [String: any (Codable & Sendable).Type] = [
        "Pod": Pod.self, "Node": Node.self, "ConfigMap": ConfigMap.self, "Secret": Secret.self, "Event": Event.self,
        "Lease": Lease.self, "Service": Service.self, "ServiceAccount": ServiceAccount.self,
        "Namespace": Namespace.self, "Binding": Binding.self, "Status": Status.self,
        "DeleteOptions": DeleteOptions.self, "PodList": KubernetesList<Pod>.self, "Table": Table.self,
        "APIGroupDiscoveryList": APIGroupDiscoveryList.self, "APIResourceList": APIResourceList.self,
        "APIGroupList": APIGroupList.self,
    ]

    @Test("decoding a fixture and encoding it again loses and adds nothing", arguments: TypesFixture.names)
    func roundTrip(name: String) throws {
        let value = try TypesFixture.read(name)
        let kind = try #require(value["kind"]?.stringValue)
        let type = try #require(Self.types[kind])
        let result = try TypesFixture.roundTrip(type, value)
        #expect(result == value)
    }

    @Test("every kind has a fixture")
    func everyKindIsCovered() throws {
        let kinds = try TypesFixture.names.map { try TypesFixture.read($0)["kind"]?.stringValue ?? "" }
        #expect(Set(kinds) == Set(Self.types.keys))
    }

    @Test("no field of a fixture is unknown to the schema", arguments: TypesFixture.names)
    func schemaKnowsEveryField(name: String) throws {
        let value = try TypesFixture.read(name)
        let type = try #require(Self.types[value["kind"]?.stringValue ?? ""])
        #expect(Self.unknownFields(type, value) == [])
    }

    private static func unknownFields<T: Decodable>(_: T.Type, _ value: JSONValue) -> [String] {
        Schema(of: T.self).unknownFields(in: value)
    }

    @Test("the schema names a misspelt field at any depth")
    func schemaFindsMisspelling() throws {
        var pod = try TypesFixture.read("pod-web.json")
        var spec = try #require(pod["spec"])
        spec["volumes"] = try JSONValue(parsing: #"[{"name":"a","emptyDir":{"sizeLimt":"1Mi"}}]"#.utf8)
        pod["spec"] = spec
        #expect(Schema(of: Pod.self).unknownFields(in: pod) == ["spec.volumes[0].emptyDir.sizeLimt"])
    }

    @Test("a list item without apiVersion and kind decodes to the same object as the object alone")
    func listItemsNeedNoType() throws {
        let item = try decodedObject(Pod.self, #"{"metadata":{"name":"a"},"spec":{"containers":[{"name":"c"}]}}"#)
        #expect(item.apiVersion == "v1")
        #expect(item.kind == "Pod")
        #expect(item == Pod(metadata: ObjectMeta(name: "a"), spec: PodSpec(containers: [Container(name: "c")])))
    }

    @Test("absent and null required fields decode to their zero value", arguments: ["{}", #"{"spec":null}"#])
    func absentRequiredFields(text: String) throws {
        let pod = try decodedObject(Pod.self, text)
        #expect(pod.metadata == ObjectMeta())
        #expect(pod.spec.containers == [])
        let container = try decodedObject(Container.self, #"{"ports":[{}],"env":[{"value":"x"}]}"#)
        #expect(container.name == "")
        #expect(container.ports?.first?.containerPort == 0)
        #expect(container.env?.first?.name == "")
    }

    @Test("a wrong type names the path of the field")
    func wrongTypeNamesPath() throws {
        #expect {
            try decodedObject(Pod.self, #"{"spec":{"containers":[{"name":"a","image":7}]}}"#)
        } throws: {
            "\($0)".contains("spec.containers[0].image")
        }
    }

    @Test(
        "a number that does not fit is a decoding error and never a trap",
        arguments: ["9223372036854775808", "2147483648", "-2147483649", "1.5", "1e400", "\"8080\"", "true"])
    func numbersOutOfRange(number: String) {
        let text = #"{"spec":{"containers":[{"name":"a","ports":[{"containerPort":\#(number)}]}]}}"#
        #expect(throws: (any Error).self) { try decodedObject(Pod.self, text) }
    }

    @Test("the strategic merge keys are Kubernetes' own")
    func mergeKeys() {
        let keys: [(any PatchMergeKeyed.Type, String)] = [
            (Container.self, "name"), (EphemeralContainer.self, "name"), (ContainerPort.self, "containerPort"),
            (EnvVar.self, "name"), (VolumeMount.self, "mountPath"), (VolumeDevice.self, "devicePath"),
            (Volume.self, "name"), (LocalObjectReference.self, "name"), (HostAlias.self, "ip"),
            (TopologySpreadConstraint.self, "topologyKey"), (PodCondition.self, "type"), (PodIP.self, "ip"),
            (HostIP.self, "ip"), (NodeCondition.self, "type"), (NodeAddress.self, "type"),
            (OwnerReference.self, "uid"), (ServicePort.self, "port"), (ObjectReference.self, "name"),
            (PodResourceClaim.self, "name"), (PodSchedulingGate.self, "name"), (VolumeMountStatus.self, "mountPath"),
        ]
        for (type, key) in keys { #expect(type.patchMergeKey == key) }
        #expect(ObjectMeta.mergedPrimitiveLists == ["finalizers"])
    }

    @Test("definitions carry the names kubectl uses")
    func definitions() {
        #expect(Pod.definition.path(namespace: "a", name: "b", subresource: "log") == "/api/v1/namespaces/a/pods/b/log")
        #expect(Lease.definition.path(namespace: "n") == "/apis/coordination.k8s.io/v1/namespaces/n/leases")
        #expect(Node.definition.path(name: "x") == "/api/v1/nodes/x")
        let shortNames = [
            Pod.definition, Node.definition, ConfigMap.definition, Secret.definition, Event.definition,
            Service.definition, ServiceAccount.definition, Namespace.definition,
        ].map(\.shortNames)
        #expect(shortNames == [["po"], ["no"], ["cm"], [], ["ev"], ["svc"], ["sa"], ["ns"]])
        #expect(Pod.definition.categories == ["all"])
        #expect(ServiceAccount.definition.singular == "serviceaccount")
    }

    @Test("no description, dump or nesting shows a secret")
    func secretsAreRedacted() {
        let secret = Secret(
            metadata: ObjectMeta(name: "s", namespace: "n", annotations: ["last-applied": "hunter2"]),
            data: ["k": "aHVudGVyMg=="], stringData: ["k2": "hunter2"])
        let probe = Probe(httpGet: HTTPGetAction(httpHeaders: [HTTPHeader(name: "Authorization", value: "hunter2")]))
        let pod = Pod(
            spec: PodSpec(containers: [
                Container(name: "c", env: [EnvVar(name: "PASSWORD", value: "hunter2")], livenessProbe: probe)
            ]))
        for value in [secret, pod, [pod], KubernetesList(items: [secret])] as [Any] {
            var dumped = ""
            dump(value, to: &dumped)
            for text in ["\(value)", String(reflecting: value), dumped] {
                #expect(!text.contains("hunter2") && !text.contains("aHVudGVyMg"))
            }
        }
        #expect("\(pod)".contains("PASSWORD"))
    }

    @Test("an ephemeral container is an ordinary one with a target")
    func ephemeralContainer() throws {
        var ephemeral = EphemeralContainer(name: "d", image: "i", tty: true, targetContainerName: "web")
        #expect(ephemeral.container == Container(name: "d", image: "i", tty: true))
        ephemeral.container.args = ["x"]
        #expect(ephemeral.args == ["x"] && ephemeral.targetContainerName == "web")
    }
}
