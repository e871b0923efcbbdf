public import KubernetesAPI
public import KubernetesClient
public import Volumes

/// The storage of claims that the API has bound to volumes this node can reach.
public struct APIClaims: ClaimSource {
    private let client: APIClient
    private let provisioned: ProvisionedVolumes
    private let node: @Sendable () -> Node
    private let events: EventRecorder

    /// - Parameter node: this node with its labels, as last known.
    public init(
        client: APIClient, provisioned: ProvisionedVolumes, node: @escaping @Sendable () -> Node, events: EventRecorder
    ) {
        self.events = events
        self.client = client
        self.provisioned = provisioned
        self.node = node
    }

    public func claim(namespace: String, name: String) async throws(VolumeError) -> ClaimStorage? {
        guard let claim = try await get(PersistentVolumeClaim.self, namespace, name) else { return nil }
        let volumeName = claim.spec.volumeName ?? ""
        guard claim.phase == "Bound", !volumeName.isEmpty else { return .unbound("it is not bound to a volume") }
        let volume = try await get(PersistentVolume.self, nil, volumeName)
        let storage = Self.storage(of: claim, in: volume, on: node(), provisioned: provisioned)
        let owner = claim.metadata.ownerReferences?.first { $0.controller == true && $0.kind == "Pod" }
        return owner.map { .made(forPodUID: $0.uid, storage) } ?? storage
    }

    /// Pure.
    static func storage(
        of claim: PersistentVolumeClaim, in volume: PersistentVolume?, on node: Node, provisioned: ProvisionedVolumes
    ) -> ClaimStorage {
        let name = claim.spec.volumeName ?? ""
        guard let volume else { return .unbound("persistentvolume \"\(name)\" not found") }
        guard let reference = volume.spec.claimRef, reference.uid == claim.metadata.uid, reference.uid != nil else {
            return .unbound("persistentvolume \"\(name)\" is bound to another claim")
        }
        guard volume.isAvailable(on: node) else {
            return .unbound("no matching NodeSelectorTerms: persistentvolume \"\(name)\" is not on this node")
        }
        if provisioned.owns(volume) { return .provisioned(name) }
        guard case .driver(var driven) = ClaimStorage(volume) else { return ClaimStorage(volume) }
        if let size = volume.spec.capacity?["storage"], let capacity = claim.capacity, capacity < size {
            driven.growth = DriverVolume.Growth(
                namespace: claim.metadata.namespace ?? "", claim: claim.metadata.name ?? "", size: size)
        }
        return .driver(driven)
    }

    // MARK: Growth

    public func expanded(_ growth: DriverVolume.Growth) async throws(VolumeError) {
        for attempt in 1... {
            guard let claim = try await get(PersistentVolumeClaim.self, growth.namespace, growth.claim) else { return }
            do throws(APIError) {
                _ = try await client.patch(
                    PersistentVolumeClaim.self, namespace: growth.namespace, name: growth.claim, subresource: "status",
                    type: .merge, body: Self.expansionPatch(of: claim, to: growth.size))
            } catch {
                // Somebody has written the claim in between. The driver need not be asked again for that.
                if error.isConflict, attempt < Self.conflictLimit { continue }
                throw VolumeError(
                    .sourceUnavailable, "status of persistentvolumeclaim \"\(growth.claim)\": \(error.message)")
            }
            return events.record(
                ObjectReference(to: claim), type: .normal, reason: "FileSystemResizeSuccessful",
                message: "MountVolume.NodeExpandVolume succeeded for volume \"\(claim.spec.volumeName ?? "")\"")
        }
    }

    private static var conflictLimit: Int { 5 }

    /// Of its status, unless somebody has written the claim in the meantime: what is larger, and no word any more of what was going on.
    /// Pure.
    static func expansionPatch(of claim: PersistentVolumeClaim, to size: Quantity) -> JSONValue {
        let ended: Set<String> = [
            PersistentVolumeClaim.resizePending, "Resizing", "ControllerResizeError", "NodeResizeError",
        ]
        let conditions = (claim.status?["conditions"]?.arrayValue ?? []).filter { condition in
            !ended.contains(condition["type"]?.stringValue ?? "")
        }
        var metadata: JSONValue = [:]
        if let version = claim.metadata.resourceVersion { metadata["resourceVersion"] = .string(version) }
        if let uid = claim.metadata.uid { metadata["uid"] = .string(uid) }
        return [
            "metadata": metadata,
            "status": [
                "capacity": ["storage": .string("\(size)")],
                "conditions": conditions.isEmpty ? .null : .array(conditions),
                "allocatedResourceStatuses": ["storage": .null],
            ],
        ]
    }

    private func get<T: KubernetesResource>(
        _ type: T.Type, _ namespace: String?, _ name: String
    ) async throws(VolumeError) -> T? {
        do throws(APIError) { return try await client.get(type, namespace: namespace, name: name) } catch {
            if error.isNotFound { return nil }
            throw VolumeError(.sourceUnavailable, "\(T.definition.singular) \"\(name)\": \(error.message)")
        }
    }
}
