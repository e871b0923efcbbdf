import KubernetesAPI
import KubernetesClient

/// Which claims a pod uses. Pure.
enum VolumeUse {
    /// Names of the pod's claims, in its namespace, each with whether it is the pod's own, made for it.
    static func claims(of pod: Pod) -> [(name: String, isEphemeral: Bool)] {
        (pod.spec.volumes ?? []).compactMap { volume in
            if let claim = volume.persistentVolumeClaim { return (claim.claimName, false) }
            if volume.ephemeral != nil { return ("\(pod.metadata.name ?? "")-\(volume.name)", true) }
            return nil
        }
    }

    static func uses(_ pod: Pod, _ claim: PersistentVolumeClaim) -> Bool {
        pod.metadata.namespace == claim.metadata.namespace
            && claims(of: pod).contains { $0.name == claim.metadata.name }
    }

    /// What a pod's volumes mean for where, and whether, it can go.
    enum Verdict: Hashable {
        /// These nodes have all its volumes; the claims wait to be told which it will be.
        case nodes([Node], toSelect: [PersistentVolumeClaim])
        /// Nowhere now, and why.
        case nowhere(String)
    }

    static func verdict(
        on pod: Pod, nodes: [Node], claims: [ObjectKey: PersistentVolumeClaim],
        volumes: [ObjectKey: PersistentVolume], classes: [ObjectKey: StorageClass], pods: [Pod]
    ) -> Verdict {
        var (fitting, waiting): ([Node], [PersistentVolumeClaim]) = (nodes, [])
        for (name, isEphemeral) in self.claims(of: pod) {
            let key = ObjectKey(namespace: pod.metadata.namespace ?? "", name: name)
            guard let claim = claims[key] else {
                return .nowhere(
                    isEphemeral
                        ? "waiting for ephemeral volume controller to create the persistentvolumeclaim \"\(name)\""
                        : "persistentvolumeclaim \"\(name)\" not found")
            }
            if isEphemeral, claim.metadata.ownerReferences?.contains(where: { $0.uid == pod.metadata.uid }) != true {
                return .nowhere("PVC \(key) was not created for pod \(pod.metadata.name ?? "") (pod is not owner)")
            }
            if claim.metadata.deletionTimestamp != nil {
                return .nowhere("persistentvolumeclaim \"\(name)\" is being deleted")
            }
            if claim.phase == "Lost" {
                return .nowhere(
                    "persistentvolumeclaim \"\(name)\" bound to non-existent persistentvolume "
                        + "\"\(claim.spec.volumeName ?? "")\"")
            }
            if isTaken(claim, from: pod, by: pods) {
                return .nowhere(
                    "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode")
            }
            if claim.phase == "Bound" {
                guard let volume = volumes[ObjectKey(name: claim.spec.volumeName ?? "")] else {
                    return .nowhere("persistentvolume \"\(claim.spec.volumeName ?? "")\" not found")
                }
                fitting = fitting.filter { volume.isAvailable(on: $0) }
                if fitting.isEmpty {
                    return .nowhere("\(nodes.count) node(s) didn't match PersistentVolume's node affinity")
                }
                continue
            }
            let storageClass = claim.spec.storageClassName.flatMap { classes[ObjectKey(name: $0)] }
            guard storageClass?.waitsForConsumer == true else {
                return .nowhere("pod has unbound immediate PersistentVolumeClaims")
            }
            waiting.append(claim)
        }
        return .nodes(fitting, toSelect: waiting)
    }

    private static func isTaken(_ claim: PersistentVolumeClaim, from pod: Pod, by pods: [Pod]) -> Bool {
        guard claim.spec.accessModes?.contains("ReadWriteOncePod") == true else { return false }
        return pods.contains { other in
            other.metadata.uid != pod.metadata.uid && other.spec.nodeName?.isEmpty == false
                && !SchedulingDecision.isFinished(other) && uses(other, claim)
        }
    }
}
