extension Volume: Defaultable {
    /// File mode 0644.
    private static let defaultMode: Int32 = 0o644

    public mutating func applyDefaults() {
        if sourceNames.isEmpty { emptyDir = EmptyDirVolumeSource() }
        if let source = hostPath { hostPath?.type = source.type ?? HostPathType.unset.rawValue }
        if let source = configMap { configMap?.defaultMode = source.defaultMode ?? Self.defaultMode }
        if let source = secret { secret?.defaultMode = source.defaultMode ?? Self.defaultMode }
        if let source = downwardAPI {
            downwardAPI?.defaultMode = source.defaultMode ?? Self.defaultMode
            for index in (source.items ?? []).indices { downwardAPI?.items?[index].fieldRef?.applyDefaults() }
        }
        if let source = projected {
            projected?.defaultMode = source.defaultMode ?? Self.defaultMode
            for index in source.sources.indices { projected?.sources[index].applyDefaults() }
        }
        if let source = image {
            image?.pullPolicy = source.pullPolicy.orDefault(
                ImagePullPolicy.defaultFor(image: source.reference ?? "").rawValue)
        }
        if let template = ephemeral?.volumeClaimTemplate {
            ephemeral?.volumeClaimTemplate?.spec.volumeMode = template.spec.volumeMode.orDefault("Filesystem")
        }
    }

    /// The JSON names of the sources that are set; a valid volume has one.
    var sourceNames: [String] {
        let sources: [(String, (any Sendable)?)] = [
            ("emptyDir", emptyDir), ("hostPath", hostPath), ("configMap", configMap), ("secret", secret),
            ("downwardAPI", downwardAPI), ("projected", projected), ("persistentVolumeClaim", persistentVolumeClaim),
            ("ephemeral", ephemeral), ("nfs", nfs), ("csi", csi), ("image", image),
        ]
        return sources.filter { $0.1 != nil }.map(\.0) + unsupportedSourceNames
    }

    /// The sources that are known by name only.
    var unsupportedSourceNames: [String] {
        let sources: [(String, JSONValue?)] = [
            ("gcePersistentDisk", gcePersistentDisk), ("awsElasticBlockStore", awsElasticBlockStore),
            ("gitRepo", gitRepo), ("iscsi", iscsi), ("glusterfs", glusterfs), ("rbd", rbd),
            ("flexVolume", flexVolume), ("cinder", cinder), ("cephfs", cephfs), ("flocker", flocker), ("fc", fc),
            ("azureFile", azureFile), ("vsphereVolume", vsphereVolume), ("quobyte", quobyte),
            ("azureDisk", azureDisk), ("photonPersistentDisk", photonPersistentDisk),
            ("portworxVolume", portworxVolume), ("scaleIO", scaleIO), ("storageos", storageos),
        ]
        return sources.filter { $0.1 != nil }.map(\.0)
    }
}

extension VolumeProjection {
    mutating func applyDefaults() {
        if let source = serviceAccountToken {
            serviceAccountToken?.expirationSeconds = source.expirationSeconds ?? 3600
        }
        for index in (downwardAPI?.items ?? []).indices { downwardAPI?.items?[index].fieldRef?.applyDefaults() }
    }
}
