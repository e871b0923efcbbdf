import KubernetesAPI

/// The keys of a ConfigMap as files.
struct ConfigMapPlugin: VolumePlugin {
    static let directoryName = "kubernetes.io~configmap"

    let source: ConfigMapVolumeSource

    func objectNames(for pod: Pod) -> PodObjectNames { PodObjectNames(configMaps: [source.name]) }
    var isRefreshable: Bool { true }

    func mount(_ context: VolumeContext) throws(VolumeError) -> MountedVolume {
        let keys = KeyProjection(items: source.items, defaultMode: source.defaultMode, optional: source.optional)
        return try ObjectVolume(context: context, medium: .disk).mount { () throws(VolumeError) in
            try keys.files(configMap: source.name, in: context.objects)
        }
    }
}
