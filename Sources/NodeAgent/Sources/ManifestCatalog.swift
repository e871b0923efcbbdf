import KubernetesAPI
import Volumes

/// What all manifest files together define, and what changes when one of them does. Pure.
struct ManifestCatalog {
    /// What became of a file.
    enum Reading: Sendable {
        case good(ManifestFile)
        /// Unreadable or wrong. What the file said before stays in force.
        case bad([ManifestProblem])
        case gone
    }

    struct Changes: Sendable {
        /// Definitions no longer there, before the ones that may take their names.
        var removed: [Pod] = []
        var applied: [Pod] = []
    }

    private(set) var configMaps: [String: ConfigMap] = [:]
    private(set) var secrets: [String: Secret] = [:]
    /// What each claim, by `namespace/name`, is bound to.
    private(set) var claims: [String: ClaimStorage] = [:]
    private var files: [String: ManifestFile] = [:]
    private var bad: [String: [ManifestProblem]] = [:]
    private var duplicates: [ManifestProblem] = []
    private var pods: [String: Pod] = [:]

    /// Every reason why something in the files is not in force, by file.
    var problems: [ManifestProblem] {
        bad.sorted { $0.key < $1.key }.flatMap(\.value) + duplicates
    }

    /// The files whose state is known.
    var paths: Set<String> { Set(files.keys).union(bad.keys) }

    /// Files in the order of their names; the first to define a name has it.
    mutating func update(_ file: String, _ reading: Reading) -> Changes {
        switch reading {
        case .good(let manifest):
            files[file] = manifest
            bad[file] = nil
        case .bad(let problems):
            let isKept = files[file].map { $0 != ManifestFile() } ?? false
            let note = isKept ? "; what the file defined before stays in force" : ""
            bad[file] = problems.map { ManifestProblem(file: file, message: $0.message + note) }
        case .gone:
            files[file] = nil
            bad[file] = nil
        }
        return compose()
    }

    private mutating func compose() -> Changes {
        duplicates = []
        var (maps, secrets, pods): ([String: ConfigMap], [String: Secret], [String: Pod]) = ([:], [:], [:])
        var (claims, volumes): ([PersistentVolumeClaim], [PersistentVolume]) = ([], [])
        var owners: [String: String] = [:]
        for (path, manifest) in files.sorted(by: { $0.key < $1.key }) {
            for map in manifest.configMaps where isFirst(map, path, &owners) { maps[key(map.object)] = map.object }
            for secret in manifest.secrets where isFirst(secret, path, &owners) {
                secrets[key(secret.object)] = secret.object
            }
            for claim in manifest.claims where isFirst(claim, path, &owners) { claims.append(claim.object) }
            for volume in manifest.volumes where isFirst(volume, path, &owners) { volumes.append(volume.object) }
            for pod in manifest.pods where isFirst(pod, path, &owners) {
                pods[pod.object.metadata.uid ?? ""] = pod.object
            }
        }
        configMaps = maps
        self.secrets = secrets
        self.claims = ClaimBinding.bind(claims, to: volumes)
        let before = self.pods
        self.pods = pods
        func sorted(_ pods: some Sequence<Pod>) -> [Pod] { pods.sorted { $0.key < $1.key } }
        return Changes(
            removed: sorted(before.filter { pods[$0.key] == nil }.values),
            applied: sorted(pods.filter { before[$0.key] == nil }.values))
    }

    private func key(_ object: some KubernetesResource) -> String {
        "\(object.metadata.namespace ?? "")/\(object.metadata.name ?? "")"
    }

    private mutating func isFirst<Object: KubernetesResource>(
        _ placed: ManifestFile.Placed<Object>, _ path: String, _ owners: inout [String: String]
    ) -> Bool {
        let name = "\(Object.definition.kind) \(key(placed.object))"
        guard let owner = owners.updateValue(path, forKey: name) else { return true }
        owners[name] = owner
        duplicates.append(
            ManifestProblem(
                file: path, message: "\(placed.location): Duplicate value: \(name) is already defined in \(owner)"))
        return false
    }
}
