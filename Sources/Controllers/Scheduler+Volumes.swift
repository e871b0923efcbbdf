import KubernetesAPI
public import KubernetesClient

extension Scheduler {
    /// What comes of a pod's volumes before its node is chosen.
    enum VolumeOutcome {
        /// One of these.
        case nodes([Node])
        case nowhere(String)
        /// Its claims were told of the node: it is looked at again when they have their volumes.
        case waits
    }

    func lookAtVolumes(of pod: Pod, nodes: [Node], pods: [Pod]) async throws(APIError) -> VolumeOutcome {
        guard let volumes, SchedulingDecision.isPending(pod), !VolumeUse.claims(of: pod).isEmpty else {
            return .nodes(nodes)
        }
        guard volumes.informers.hasSynced else { return .waits }
        let verdict = VolumeUse.verdict(
            on: pod, nodes: nodes, claims: volumes.informers.claims.snapshot(),
            volumes: volumes.informers.volumes.snapshot(), classes: volumes.informers.classes.snapshot(), pods: pods)
        switch verdict {
        case .nowhere(let reason): return .nowhere("0/\(nodes.count) nodes are available: \(reason).")
        case .nodes(let fitting, let claims):
            guard !claims.isEmpty else { return .nodes(fitting) }
            // Only a node that takes the pod in every other way is worth a volume.
            guard case .bind(let nodeName) = SchedulingDecision.decide(pod, nodes: fitting, pods: pods) else {
                return .nodes(fitting)
            }
            for claim in claims where claim.metadata.annotations?[VolumeBindingDecision.selectedNode] != nodeName {
                var selected = claim
                selected.metadata.annotations = (claim.metadata.annotations ?? [:])
                    .merging([VolumeBindingDecision.selectedNode: nodeName], uniquingKeysWith: { $1 })
                do throws(APIError) { try await volumes.update(selected) } catch {
                    if !error.isConflict, !error.isNotFound { throw error }
                }
            }
            return .waits
        }
    }

    /// A claim that has got its volume, or a volume for it, may let a pod go.
    func followVolumes() async {
        guard let volumes else { return }
        let (claims, known) = (volumes.informers.claims.events(), volumes.informers.volumes.events())
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await event in claims {
                    // A claim without a class is given the default one after it was made.
                    if case .applied(let old, let new) = event, let old, old.phase == new.phase,
                        old.spec.storageClassName == new.spec.storageClassName,
                        old.metadata.deletionTimestamp == new.metadata.deletionTimestamp
                    {
                        continue
                    }
                    self.enqueuePending()
                }
            }
            group.addTask {
                for await event in known {
                    if case .applied(.some, _) = event { continue }
                    self.enqueuePending()
                }
            }
        }
    }
}

/// What a scheduler that knows of volumes works with.
public struct SchedulerVolumes: Sendable {
    public let informers: VolumeInformers
    let update: @Sendable (PersistentVolumeClaim) async throws(APIError) -> Void

    /// - Parameter informers: run by somebody else.
    public init(informers: VolumeInformers, client: APIClient) {
        self.informers = informers
        update = { (claim) async throws(APIError) in _ = try await client.update(claim) }
    }
}
