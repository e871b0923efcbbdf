import KubernetesAPI
import Volumes

/// Which storage each claim of the manifests has: a volume of the manifests, or a directory of the node's own. Pure.
///
/// Decided anew from the documents each time. A claim that should never fall back to the node's directory, whatever
/// becomes of the volume's document, names its volume in `spec.volumeName`.
enum ClaimBinding {
    /// - Parameters:
    ///   - claims: the first of those that want the same volume gets it.
    ///   - volumes: with the names of one kind, each once.
    /// - Returns: by `namespace/name` of the claim.
    static func bind(
        _ claims: [PersistentVolumeClaim], to volumes: [PersistentVolume]
    ) -> [String: ClaimStorage] {
        let byName = Dictionary(volumes.map { ($0.metadata.name ?? "", $0) }) { first, _ in first }
        let reserved = Dictionary(grouping: volumes.filter { $0.spec.claimRef != nil }) { claim(for: $0) }
        var takers: [String: String] = [:]
        var bound: [String: ClaimStorage] = [:]
        for claim in claims {
            let key = "\(claim.metadata.namespace ?? "")/\(claim.metadata.name ?? "")"
            if let name = claim.spec.volumeName, !name.isEmpty {
                bound[key] = take(name, byName[name], for: key, &takers)
            } else if let volumes = reserved[key] {
                bound[key] = volumes.count == 1 ? ClaimStorage(volumes[0]) : .unbound(ambiguity(volumes))
            } else {
                bound[key] = .directory
            }
        }
        return bound
    }

    private static func take(
        _ name: String, _ volume: PersistentVolume?, for key: String, _ takers: inout [String: String]
    ) -> ClaimStorage {
        guard let volume else { return .unbound("no manifest of this node defines persistentvolume \"\(name)\"") }
        if volume.spec.claimRef != nil, claim(for: volume) != key {
            return .unbound("persistentvolume \"\(name)\" is reserved for claim \"\(claim(for: volume))\"")
        }
        if let taker = takers[name] {
            return .unbound("persistentvolume \"\(name)\" is taken by claim \"\(taker)\"")
        }
        takers[name] = key
        return ClaimStorage(volume)
    }

    private static func claim(for volume: PersistentVolume) -> String {
        "\(volume.spec.claimRef?.namespace ?? "")/\(volume.spec.claimRef?.name ?? "")"
    }

    private static func ambiguity(_ volumes: [PersistentVolume]) -> String {
        let names = volumes.map { "\"\($0.metadata.name ?? "")\"" }.joined(separator: ", ")
        return "persistentvolumes \(names) are all reserved for it; name one in spec.volumeName"
    }
}
