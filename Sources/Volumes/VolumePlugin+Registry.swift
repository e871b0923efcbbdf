import KubernetesAPI

extension Volume {
    /// The plugin for the one source that is set.
    ///
    /// - Parameters:
    ///   - fieldPath: where the volume is in the pod, such as `spec.volumes[0]`.
    ///   - claims: the directory for claims; nil when the pod may use none.
    ///   - podName: for the claims that are made for the pod; nil when it may have none.
    func plugin(
        at fieldPath: String, claims: String? = nil, podName: String? = nil
    ) throws(VolumeError) -> any VolumePlugin {
        if let emptyDir { return EmptyDirPlugin(source: emptyDir) }
        if let hostPath { return HostPathPlugin(source: hostPath) }
        if let configMap { return ConfigMapPlugin(source: configMap) }
        if let secret { return SecretPlugin(source: secret) }
        if let downwardAPI { return DownwardAPIPlugin(source: downwardAPI) }
        if let projected { return ProjectedPlugin(source: projected) }
        if let nfs { return NFSPlugin(source: nfs) }
        if let csi { return DriverPlugin(source: csi) }
        if let image { return ImagePlugin(source: image) }
        if let persistentVolumeClaim, let claims { return ClaimPlugin(source: persistentVolumeClaim, root: claims) }
        if ephemeral != nil, let claims, let podName {
            return ClaimPlugin(
                source: PersistentVolumeClaimVolumeSource(claimName: "\(podName)-\(name)"), isEphemeral: true,
                root: claims)
        }
        throw VolumeError(
            .unsupported,
            "\(fieldPath): \(typeDescription) not supported by this node; use emptyDir, hostPath, configMap, secret, "
                + "downwardAPI, projected, image, nfs, csi or persistentVolumeClaim",
            volume: name)
    }

    /// The type is the name of the one field set besides `name`, as in the JSON form.
    private var typeDescription: String {
        let fields = (try? JSONValueEncoder().encode(self))?.objectValue ?? [:]
        let type = fields.keys.filter { $0 != "name" }.min()
        return type.map { "volume type \($0) is" } ?? "a volume without a type is"
    }
}
