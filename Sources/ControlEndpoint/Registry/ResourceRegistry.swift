internal import KubernetesAPI

/// Every kind the endpoint serves: one line per kind, and all the rest follows from it.
struct ResourceRegistry: Sendable {
    let resources: [RegisteredResource]
    private let byID: [ResourceID: RegisteredResource]
    private let byVersion: [String: RegisteredResource]

    init(_ resources: [RegisteredResource] = ResourceRegistry.standard) {
        self.resources = resources
        byID = Dictionary(
            resources.filter { $0.view == nil }.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        byVersion = Dictionary(
            resources.map { (Self.key($0.id, $0.definition.version), $0) }, uniquingKeysWith: { first, _ in first })
    }

    private static func key(_ id: ResourceID, _ version: String) -> String { "\(id.group)/\(version)/\(id.plural)" }

    func resource(_ id: ResourceID) -> RegisteredResource? { byID[id] }

    /// The kind behind a request, when group, version and name are all known.
    func resource(for info: RequestInfo) -> RegisteredResource? {
        byVersion[Self.key(info.resourceID, info.version)]
    }

    /// Those that are kept, each once: a view shows what another keeps.
    var storedResources: [RegisteredResource] { resources.filter { $0.view == nil } }

    /// Group versions in discovery order: core first, then by name; of a group the newest version first.
    var groupVersions: [(group: String, version: String)] {
        var seen: Set<String> = []
        return resources.map { ($0.definition.group, $0.definition.version) }
            .filter { seen.insert("\($0.0)/\($0.1)").inserted }
            .sorted { $0.0 == $1.0 ? $0.1 > $1.1 : $0.0 < $1.0 }
    }

    func resources(group: String, version: String) -> [RegisteredResource] {
        resources.filter { $0.definition.group == group && $0.definition.version == version }
            .sorted { $0.definition.plural < $1.definition.plural }
    }

    /// What nodes and pods use; served only where a node's agent can be asked.
    static let metrics: [RegisteredResource] = [
        RegisteredResource(NodeMetrics.self, isComputed: true), RegisteredResource(PodMetrics.self, isComputed: true),
    ]

    static let standard: [RegisteredResource] = core + workloads + policies + roles + reviews + stored

    private static let core: [RegisteredResource] = [
        RegisteredResource(
            Namespace.self, strategy: NamespaceStrategy(), table: .namespaces,
            selectableFields: [SelectableField("status.phase")]),
        RegisteredResource(
            Node.self, strategy: NodeStrategy(), table: .nodes,
            selectableFields: [SelectableField("spec.unschedulable", absent: "false")],
            subresources: [.proxy("NodeProxyOptions")]),
        RegisteredResource(
            Pod.self, strategy: PodStrategy(), table: .pods, selectableFields: PodStrategy.selectableFields,
            subresources: [
                Subresource(name: "attach", kind: "PodAttachOptions", verbs: ["create", "get"]),
                Subresource(name: "binding", kind: "Binding", verbs: ["create"]),
                Subresource(
                    name: "eviction", kind: "Eviction", group: "policy", version: "v1", verbs: ["create"]),
                Subresource(name: "ephemeralcontainers", kind: "Pod", verbs: ["get", "patch", "update"]),
                Subresource(name: "exec", kind: "PodExecOptions", verbs: ["create", "get"]),
                Subresource(name: "log", kind: "Pod", verbs: ["get"]),
                Subresource(name: "portforward", kind: "PodPortForwardOptions", verbs: ["create", "get"]),
                .proxy("PodProxyOptions"),
                Subresource(name: "resize", kind: "Pod", verbs: ["get", "patch", "update"]),
            ]),
        RegisteredResource(ConfigMap.self, table: .configMaps),
        RegisteredResource(Secret.self, table: .secrets, selectableFields: [SelectableField("type")]),
        RegisteredResource(
            Event.self, strategy: PlainStrategy(createsOnUpdate: true), table: .events,
            selectableFields: EventFields.selectable),
        RegisteredResource(
            Service.self, strategy: ServiceStrategy(), table: .services,
            selectableFields: [SelectableField("spec.clusterIP"), SelectableField("spec.type")],
            subresources: [.proxy("ServiceProxyOptions")]),
        RegisteredResource(
            ServiceAccount.self, strategy: ServiceAccountStrategy(), table: .serviceAccounts,
            subresources: [
                Subresource(
                    name: "token", kind: "TokenRequest", group: "authentication.k8s.io", version: "v1",
                    verbs: ["create"])
            ]),
        RegisteredResource(
            PersistentVolumeClaim.self, strategy: PersistentVolumeStrategy.claims, table: .persistentVolumeClaims),
        RegisteredResource(
            PersistentVolume.self, strategy: PersistentVolumeStrategy.volumes, table: .persistentVolumes),
        RegisteredResource(StorageClass.self, table: .storageClasses),
        RegisteredResource(Lease.self, strategy: PlainStrategy(createsOnUpdate: true), table: .leases),
    ]
}

/// The fields of events that clients select by: kubectl describe asks for the events of one object.
enum EventFields {
    static let selectable: [SelectableField] =
        ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"]
        .map { SelectableField("involvedObject.\($0)") } + [
            SelectableField("reason"), SelectableField("type"),
            SelectableField("reportingComponent"), SelectableField("source", path: ["source", "component"]),
        ]
}
