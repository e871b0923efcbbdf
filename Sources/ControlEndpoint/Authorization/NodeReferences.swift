internal import KubernetesAPI
internal import Synchronization

/// What the pods of each node refer to: of secrets, ConfigMaps, claims, volumes and service accounts a node's agent may have those,
/// and no others. A node that is taken over betrays what ran on it, not the cluster (the graph of Kubernetes' node authorizer).
final class NodeReferences: Sendable {
    /// Something in a pod's own namespace.
    struct Reference: Hashable, Sendable {
        enum Kind: String, Sendable {
            case claim = "persistentvolumeclaims"
            case configMap = "configmaps"
            case secret = "secrets"
            case serviceAccount = "serviceaccounts"
        }

        var kind: Kind
        var name: String
    }

    private struct Entry: Sendable {
        var resourceVersion: Int64
        /// nil for a pod that gives its node nothing: one without a node, or one that only mirrors a static pod, as the node could make
        /// that itself.
        var node: String?
        var references: Set<Reference> = []
    }

    private static let pods = ResourceID(group: "", plural: "pods")
    private static let volumes = ResourceID(group: "", plural: "persistentvolumes")
    /// Members of a volume's `csi` that name a secret which a node needs.
    private static let driverSecrets = ["nodeStageSecretRef", "nodePublishSecretRef", "nodeExpandSecretRef"]

    private let store: ResourceStore
    /// By namespace, then by name. Read again only for pods that have changed, when a node asks.
    private let known = Mutex<[String: [String: Entry]]>([:])

    init(store: ResourceStore) { self.store = store }

    /// Whether a pod of the node refers to the object, or is it. Without a name, which asks for all, never.
    func contain(_ node: String, _ resource: String, _ namespace: String, _ name: String) -> Bool {
        guard !name.isEmpty else { return false }
        if resource == Self.pods.plural {
            let pod = store.get(ObjectKey(resource: Self.pods, namespace: namespace, name: name))
            // That a pod is gone its node may know.
            return pod.map { $0.part(["spec", "nodeName"])?.stringValue == node } ?? true
        }
        if resource == Self.volumes.plural {
            let key = ObjectKey(resource: Self.volumes, namespace: "", name: name)
            return store.get(key).map { isClaimed($0, by: node) } ?? false
        }
        guard let kind = Reference.Kind(rawValue: resource), !namespace.isEmpty else { return false }
        if pod(of: node, in: namespace, has: Reference(kind: kind, name: name)) { return true }
        guard kind == .secret else { return false }
        return store.list(Self.volumes).objects.contains { volume in
            guard let driver = volume.part(["spec", "csi"]) else { return false }
            let isNamed = Self.driverSecrets.contains {
                driver[path: $0, "name"]?.stringValue == name && driver[path: $0, "namespace"]?.stringValue == namespace
            }
            return isNamed && isClaimed(volume, by: node)
        }
    }

    /// Whether the claim that has the volume is one of a pod on the node.
    private func isClaimed(_ volume: StoredObject, by node: String) -> Bool {
        guard let claim = volume.part(["spec", "claimRef"]), let name = claim[path: "name"]?.stringValue,
            let namespace = claim[path: "namespace"]?.stringValue
        else { return false }
        return pod(of: node, in: namespace, has: Reference(kind: .claim, name: name))
    }

    private func pod(of node: String, in namespace: String, has reference: Reference) -> Bool {
        let pods = store.objects(of: [Self.pods], inNamespace: namespace)
        return known.withLock { known in
            let before = known[namespace] ?? [:]
            var entries: [String: Entry] = [:]
            entries.reserveCapacity(pods.count)
            for pod in pods {
                let entry = before[pod.key.name]
                entries[pod.key.name] = entry?.resourceVersion == pod.resourceVersion ? entry : Self.entry(pod)
            }
            known[namespace] = entries.isEmpty ? nil : entries
            return entries.values.contains { $0.node == node && $0.references.contains(reference) }
        }
    }

    private static func entry(_ stored: StoredObject) -> Entry {
        var entry = Entry(resourceVersion: stored.resourceVersion)
        guard let pod = try? JSONValueDecoder().decode(Pod.self, from: stored.value),
            pod.metadata.annotations?[Pod.mirrorAnnotation] == nil, let node = pod.spec.nodeName, !node.isEmpty
        else { return entry }
        entry.node = node
        entry.references = references(of: pod)
        return entry
    }

    static func references(of pod: Pod) -> Set<Reference> {
        let spec = pod.spec
        var references: Set<Reference> = []
        func add(_ kind: Reference.Kind, _ name: String?) {
            if let name, !name.isEmpty { references.insert(Reference(kind: kind, name: name)) }
        }
        add(.serviceAccount, spec.serviceAccountName)
        for secret in spec.imagePullSecrets ?? [] { add(.secret, secret.name) }
        let containers =
            spec.containers + (spec.initContainers ?? []) + (spec.ephemeralContainers ?? []).map(\.container)
        for container in containers {
            for source in container.envFrom ?? [] {
                add(.secret, source.secretRef?.name)
                add(.configMap, source.configMapRef?.name)
            }
            for variable in container.env ?? [] {
                add(.secret, variable.valueFrom?.secretKeyRef?.name)
                add(.configMap, variable.valueFrom?.configMapKeyRef?.name)
            }
        }
        for volume in spec.volumes ?? [] {
            add(.secret, volume.secret?.secretName)
            add(.secret, volume.csi?.nodePublishSecretRef?.name)
            add(.configMap, volume.configMap?.name)
            add(.claim, volume.persistentVolumeClaim?.claimName)
            // Made for the pod, and named after both.
            if volume.ephemeral != nil { add(.claim, "\(pod.metadata.name ?? "")-\(volume.name)") }
            for source in volume.projected?.sources ?? [] {
                add(.secret, source.secret?.name)
                add(.configMap, source.configMap?.name)
            }
        }
        return references
    }
}
