import KubernetesAPI

/// The keys of a Secret as files, in memory only.
struct SecretPlugin: VolumePlugin {
    static let directoryName = "kubernetes.io~secret"

    let source: SecretVolumeSource

    private var name: String { source.secretName ?? "" }
    func objectNames(for pod: Pod) -> PodObjectNames { PodObjectNames(secrets: [name]) }
    var isRefreshable: Bool { true }

    func mount(_ context: VolumeContext) throws(VolumeError) -> MountedVolume {
        let keys = KeyProjection(items: source.items, defaultMode: source.defaultMode, optional: source.optional)
        return try ObjectVolume(context: context, medium: .memory).mount { () throws(VolumeError) in
            try keys.files(secret: name, in: context.objects)
        }
    }
}
