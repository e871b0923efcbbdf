import KubernetesAPI
import KubernetesClient

/// What is to be done about claims, volumes and their pods: one step at a time, each decided anew from all that is known. Pure.
///
/// The steps of a binding, each safe to stop after: the volume names the claim, the claim names the volume, both say `Bound`.
struct VolumeBindingDecision {
    /// Everything known.
    struct World {
        var claims: [PersistentVolumeClaim] = []
        var volumes: [PersistentVolume] = []
        var classes: [StorageClass] = []
        var pods: [Pod] = []
        var nodes: [Node] = []
        /// For what is said to have begun now.
        var now: Timestamp?
    }

    enum Action: Hashable {
        case createClaim(PersistentVolumeClaim, for: Pod)
        /// Of a pod that is gone.
        case deleteClaim(PersistentVolumeClaim)
        case updateClaim(PersistentVolumeClaim)
        case updateClaimStatus(PersistentVolumeClaim)
        case provision(PersistentVolume, for: PersistentVolumeClaim)
        case updateVolume(PersistentVolume)
        case updateVolumeStatus(PersistentVolume)
        /// Its claim is gone: what is stored goes, then the volume.
        case reclaim(PersistentVolume)
        case tell(PersistentVolumeClaim, isWarning: Bool, reason: String, message: String)
    }

    /// Written by the scheduler on a claim that waits for its first consumer.
    static let selectedNode = "volume.kubernetes.io/selected-node"
    static let bindCompleted = "pv.kubernetes.io/bind-completed"
    static let boundByController = "pv.kubernetes.io/bound-by-controller"
    static let provisionedBy = "pv.kubernetes.io/provisioned-by"
    static let claimProtection = "kubernetes.io/pvc-protection"
    static let volumeProtection = "kubernetes.io/pv-protection"
    static let hostname = "kubernetes.io/hostname"

    let provisioner: String
    /// Where the volume so named will be.
    let path: @Sendable (_ volumeName: String) -> String
    private let world: World
    private var volumesByName: [String: PersistentVolume]
    private var actions: [Action] = []

    private init(_ world: World, provisioner: String, path: @escaping @Sendable (String) -> String) {
        self.world = world
        self.provisioner = provisioner
        self.path = path
        volumesByName = Dictionary(world.volumes.map { ($0.metadata.name ?? "", $0) }) { first, _ in first }
    }

    static func decide(
        _ world: World, provisioner: String, path: @escaping @Sendable (String) -> String
    ) -> [Action] {
        var decision = VolumeBindingDecision(world, provisioner: provisioner, path: path)
        decision.makeClaimsOfPods()
        // The oldest first: what is scarce goes to who has waited longest.
        for claim in world.claims.sorted(by: isOlder) { decision.look(at: claim) }
        for volume in world.volumes { decision.look(at: volume) }
        return decision.actions
    }

    private static func isOlder(_ left: PersistentVolumeClaim, _ right: PersistentVolumeClaim) -> Bool {
        if let first = left.metadata.creationTimestamp, let second = right.metadata.creationTimestamp, first != second {
            return first < second
        }
        return ObjectKey(left.metadata).description < ObjectKey(right.metadata).description
    }

    // MARK: Claims of pods

    private mutating func makeClaimsOfPods() {
        let known = Dictionary(world.claims.map { (ObjectKey($0.metadata), $0) }) { first, _ in first }
        for pod in world.pods where pod.metadata.deletionTimestamp == nil && !SchedulingDecision.isFinished(pod) {
            for volume in pod.spec.volumes ?? [] {
                guard let template = volume.ephemeral?.volumeClaimTemplate, let name = pod.metadata.name else {
                    continue
                }
                let key = ObjectKey(namespace: pod.metadata.namespace ?? "", name: "\(name)-\(volume.name)")
                guard known[key] == nil else { continue }
                let owner = OwnerReference(
                    apiVersion: "v1", kind: "Pod", name: name, uid: pod.metadata.uid ?? "", controller: true,
                    blockOwnerDeletion: true)
                let metadata = ObjectMeta(
                    name: key.name, namespace: key.namespace, labels: template.metadata?.labels,
                    annotations: template.metadata?.annotations, ownerReferences: [owner])
                actions.append(
                    .createClaim(PersistentVolumeClaim(metadata: metadata, spec: template.spec), for: pod))
            }
        }
    }

    /// The pod that has made the claim and ends it with itself.
    private func isOrphan(_ claim: PersistentVolumeClaim) -> Bool {
        guard let owner = claim.metadata.ownerReferences?.first(where: { $0.controller == true && $0.kind == "Pod" })
        else { return false }
        return !world.pods.contains { $0.metadata.uid == owner.uid }
    }

    // MARK: A claim

    private mutating func look(at claim: PersistentVolumeClaim) {
        if claim.metadata.deletionTimestamp != nil {
            guard claim.metadata.finalizers?.contains(Self.claimProtection) == true,
                !world.pods.contains(where: { VolumeUse.uses($0, claim) && !SchedulingDecision.isFinished($0) })
            else { return }
            var free = claim
            free.metadata.finalizers?.removeAll { $0 == Self.claimProtection }
            return actions.append(.updateClaim(free))
        }
        if isOrphan(claim) { return actions.append(.deleteClaim(claim)) }
        if claim.spec.storageClassName == nil, (claim.spec.volumeName ?? "").isEmpty, let name = defaultClassName {
            var classified = claim
            classified.spec.storageClassName = name
            return actions.append(.updateClaim(classified))
        }
        let volumeName = claim.spec.volumeName ?? ""
        if volumeName.isEmpty { return findVolume(for: claim) }
        guard let volume = volumesByName[volumeName] else {
            return claim.metadata.annotations?[Self.bindCompleted] == nil ? () : setPhase(of: claim, "Lost", nil)
        }
        complete(claim, volume)
    }

    private var defaultClassName: String? {
        // As Kubernetes: of several the newest.
        world.classes.filter(\.isDefault).max { left, right in
            let (first, second) = (left.metadata.creationTimestamp, right.metadata.creationTimestamp)
            if let first, let second, first != second { return first < second }
            return (left.metadata.name ?? "") > (right.metadata.name ?? "")
        }?.metadata.name
    }

    /// The claim names the volume.
    private mutating func complete(_ claim: PersistentVolumeClaim, _ volume: PersistentVolume) {
        if let reference = volume.spec.claimRef, !Self.isFor(reference, claim) {
            return claim.metadata.annotations?[Self.bindCompleted] == nil ? () : setPhase(of: claim, "Lost", nil)
        }
        guard volume.spec.claimRef?.uid == claim.metadata.uid else { return reserve(volume, for: claim) }
        if claim.metadata.annotations?[Self.bindCompleted] == nil {
            var bound = claim
            bound.metadata.annotations = (claim.metadata.annotations ?? [:])
                .merging([Self.bindCompleted: "yes"], uniquingKeysWith: { $1 })
            return actions.append(.updateClaim(bound))
        }
        if claim.phase == "Bound" { expand(claim, volume) } else { setPhase(of: claim, "Bound", volume) }
    }

    /// The controller's part of making a driver's volume larger, for volumes that somebody has described: there is no more to it than
    /// to say so, and the node does the rest. A provisioner's volumes are its own resizer's, which stands beside it.
    private mutating func expand(_ claim: PersistentVolumeClaim, _ volume: PersistentVolume) {
        guard volume.spec.csi != nil, volume.metadata.annotations?[Self.provisionedBy] == nil,
            let wanted = claim.spec.resources?.requests?["storage"], let size = volume.spec.capacity?["storage"]
        else { return }
        if size < wanted {
            var larger = volume
            larger.spec.capacity?["storage"] = wanted
            return actions.append(.updateVolume(larger))
        }
        let conditions = claim.status?["conditions"]?.arrayValue ?? []
        let isPending = conditions.contains { $0["type"]?.stringValue == PersistentVolumeClaim.resizePending }
        guard let capacity = claim.capacity, capacity < size, !isPending else { return }
        var condition: JSONValue = [
            "type": .string(PersistentVolumeClaim.resizePending), "status": "True",
            "message": "Waiting for user to (re-)start a pod to finish file system resize of volume on node.",
        ]
        if let now = world.now { condition["lastTransitionTime"] = .string(now.rfc3339) }
        var changed = claim
        var status = claim.status ?? [:]
        status["conditions"] = .array(conditions + [condition])
        status["allocatedResources"] = ["storage": .string("\(wanted)")]
        status["allocatedResourceStatuses"] = ["storage": "NodeResizePending"]
        changed.status = status
        actions.append(.updateClaimStatus(changed))
    }

    private mutating func setPhase(of claim: PersistentVolumeClaim, _ phase: String, _ volume: PersistentVolume?) {
        var status: JSONValue = ["phase": .string(phase)]
        if let volume {
            status["accessModes"] = .array((volume.spec.accessModes ?? []).map(JSONValue.string))
            if let storage = volume.spec.capacity?["storage"] {
                status["capacity"] = ["storage": .string("\(storage)")]
            }
        }
        guard claim.phase != phase else { return }
        var changed = claim
        changed.status = status
        actions.append(.updateClaimStatus(changed))
    }

    private mutating func findVolume(for claim: PersistentVolumeClaim) {
        let className = claim.spec.storageClassName ?? ""
        let storageClass = world.classes.first { $0.metadata.name == className }
        let reserved = volumesByName.values.first { $0.spec.claimRef.map { Self.isFor($0, claim) } ?? false }
        if let reserved { return take(reserved, for: claim) }
        var node = claim.metadata.annotations?[Self.selectedNode].flatMap { name in
            world.nodes.first { $0.metadata.name == name }
        }
        if storageClass?.waitsForConsumer == true, node == nil {
            return tell(
                claim, "WaitForFirstConsumer", "waiting for first consumer to be created before binding")
        }
        if let match = bestVolume(for: claim, on: node) { return reserve(match, for: claim) }
        guard !className.isEmpty else {
            return tell(
                claim, "FailedBinding",
                "no persistent volumes available for this claim and no storage class is set")
        }
        guard let storageClass else {
            return tell(
                claim, "ProvisioningFailed", "storageclass.storage.k8s.io \"\(className)\" not found", isWarning: true)
        }
        guard storageClass.provisioner == provisioner else {
            return tell(
                claim, "ExternalProvisioning",
                "Waiting for a volume to be created either by the external provisioner '\(storageClass.provisioner)' or "
                    + "manually by the system administrator. If volume creation is delayed, please verify that the "
                    + "provisioner is running and correctly registered.")
        }
        if node == nil { node = world.nodes.min { ($0.metadata.name ?? "") < ($1.metadata.name ?? "") } }
        guard let node else {
            return tell(claim, "ProvisioningFailed", "no node to make the volume on", isWarning: true)
        }
        if claim.spec.volumeMode == "Block" {
            return tell(
                claim, "ProvisioningFailed", "spec.volumeMode Block: class \"\(className)\" makes directories only",
                isWarning: true)
        }
        actions.append(.provision(make(claim, storageClass, node), for: claim))
    }

    private mutating func tell(
        _ claim: PersistentVolumeClaim, _ reason: String, _ message: String, isWarning: Bool = false
    ) {
        actions.append(.tell(claim, isWarning: isWarning, reason: reason, message: message))
    }

    /// The volume has the claim's name; now the claim gets the volume's.
    private mutating func take(_ volume: PersistentVolume, for claim: PersistentVolumeClaim) {
        guard volume.spec.claimRef?.uid == claim.metadata.uid else { return reserve(volume, for: claim) }
        var bound = claim
        bound.spec.volumeName = volume.metadata.name
        bound.metadata.annotations = (claim.metadata.annotations ?? [:])
            .merging([Self.bindCompleted: "yes", Self.boundByController: "yes"], uniquingKeysWith: { $1 })
        actions.append(.updateClaim(bound))
    }

    private mutating func reserve(_ volume: PersistentVolume, for claim: PersistentVolumeClaim) {
        var reserved = volume
        reserved.spec.claimRef = ObjectReference(
            kind: "PersistentVolumeClaim", namespace: claim.metadata.namespace, name: claim.metadata.name,
            uid: claim.metadata.uid, apiVersion: "v1", resourceVersion: claim.metadata.resourceVersion)
        if volume.spec.claimRef == nil {
            reserved.metadata.annotations = (volume.metadata.annotations ?? [:])
                .merging([Self.boundByController: "yes"], uniquingKeysWith: { $1 })
        }
        // Not to be given away twice in one pass.
        volumesByName[volume.metadata.name ?? ""] = reserved
        actions.append(.updateVolume(reserved))
    }

    private static func isFor(_ reference: ObjectReference, _ claim: PersistentVolumeClaim) -> Bool {
        reference.namespace == claim.metadata.namespace && reference.name == claim.metadata.name
            && (reference.uid == nil || reference.uid == "" || reference.uid == claim.metadata.uid)
    }
}

extension VolumeBindingDecision {
    // MARK: Volumes that are there

    /// The smallest that does.
    private func bestVolume(for claim: PersistentVolumeClaim, on node: Node?) -> PersistentVolume? {
        let wanted = claim.spec.resources?.requests?["storage"]?.value ?? 0
        let selector = claim.spec.selector.flatMap { try? $0.selector() }
        if claim.spec.selector != nil, selector == nil { return nil }
        func fits(_ volume: PersistentVolume) -> Bool {
            let spec = volume.spec
            return spec.claimRef == nil && volume.metadata.deletionTimestamp == nil
                && (spec.storageClassName ?? "") == (claim.spec.storageClassName ?? "")
                && (spec.volumeMode ?? "Filesystem") == (claim.spec.volumeMode ?? "Filesystem")
                && Set(claim.spec.accessModes ?? []).isSubset(of: spec.accessModes ?? [])
                && (spec.capacity?["storage"]?.value ?? 0) >= wanted
                && (node.map { volume.isAvailable(on: $0) } ?? true)
                && (selector?.matches(volume.metadata.labels ?? [:]) ?? true)
        }
        func size(_ volume: PersistentVolume) -> Int64 { volume.spec.capacity?["storage"]?.value ?? 0 }
        return volumesByName.values.filter(fits).min { left, right in
            size(left) == size(right)
                ? (left.metadata.name ?? "") < (right.metadata.name ?? "") : size(left) < size(right)
        }
    }

    // MARK: Volumes that are made

    private func make(
        _ claim: PersistentVolumeClaim, _ storageClass: StorageClass, _ node: Node
    ) -> PersistentVolume {
        let name = "pvc-\(claim.metadata.uid ?? "")"
        let hostname = node.metadata.labels?[Self.hostname] ?? node.metadata.name ?? ""
        var volume = PersistentVolume(
            metadata: ObjectMeta(name: name, annotations: [Self.provisionedBy: provisioner]),
            spec: PersistentVolumeSpec(
                capacity: ["storage": claim.spec.resources?.requests?["storage"] ?? .bytes(0)],
                accessModes: claim.spec.accessModes,
                claimRef: ObjectReference(
                    kind: "PersistentVolumeClaim", namespace: claim.metadata.namespace, name: claim.metadata.name,
                    uid: claim.metadata.uid, apiVersion: "v1", resourceVersion: claim.metadata.resourceVersion),
                local: LocalVolumeSource(path: path(name))))
        volume.spec.persistentVolumeReclaimPolicy = storageClass.reclaimPolicy ?? "Delete"
        volume.spec.storageClassName = storageClass.metadata.name
        volume.spec.volumeMode = "Filesystem"
        let isHere: JSONValue = [
            "key": .string(Self.hostname), "operator": "In", "values": .array([.string(hostname)]),
        ]
        volume.spec.nodeAffinity = [
            "required": ["nodeSelectorTerms": .array([["matchExpressions": .array([isHere])]])]
        ]
        return volume
    }

    // MARK: A volume

    private mutating func look(at volume: PersistentVolume) {
        let claim = volume.spec.claimRef.flatMap { reference in
            world.claims.first { $0.metadata.namespace == reference.namespace && $0.metadata.name == reference.name }
        }
        let isOurs = volume.metadata.annotations?[Self.provisionedBy] == provisioner
        let hadClaim = volume.spec.claimRef?.uid?.isEmpty == false
        let isBound =
            hadClaim && claim?.metadata.uid == volume.spec.claimRef?.uid && claim != nil
            && claim?.spec.volumeName == volume.metadata.name
        let isWaiting =
            hadClaim && claim != nil && claim?.metadata.uid == volume.spec.claimRef?.uid
            && (claim?.spec.volumeName ?? "").isEmpty
        if isBound { return setPhase(of: volume, "Bound") }
        if isWaiting { return }
        guard volume.metadata.deletionTimestamp == nil else {
            guard volume.metadata.finalizers?.contains(Self.volumeProtection) == true else { return }
            var free = volume
            free.metadata.finalizers?.removeAll { $0 == Self.volumeProtection }
            return actions.append(.updateVolume(free))
        }
        guard hadClaim else { return setPhase(of: volume, "Available") }
        guard volume.phase == "Released" || volume.phase == "Failed" else { return setPhase(of: volume, "Released") }
        guard volume.spec.persistentVolumeReclaimPolicy == "Delete" else { return }
        if isOurs { return actions.append(.reclaim(volume)) }
        setPhase(of: volume, "Failed", message: "this node removes only the volumes that it has made itself")
    }

    private mutating func setPhase(of volume: PersistentVolume, _ phase: String, message: String? = nil) {
        guard volume.phase != phase else { return }
        var changed = volume
        var status: JSONValue = ["phase": .string(phase)]
        if let message {
            status["reason"] = "VolumeFailedDelete"
            status["message"] = .string(message)
        }
        changed.status = status
        actions.append(.updateVolumeStatus(changed))
    }
}
