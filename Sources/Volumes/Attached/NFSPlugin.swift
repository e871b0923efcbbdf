import KubernetesAPI

/// A directory of another machine (NFS), mounted for one pod.
struct NFSPlugin: VolumePlugin {
    static let directoryName = "kubernetes.io~nfs"

    let source: NFSVolumeSource

    func attachment(_ context: VolumeContext) throws(VolumeError) -> VolumeAttachment? {
        .network(NetworkExport(server: source.server, path: source.path, readOnly: source.readOnly == true))
    }

    func mount(_ context: VolumeContext) throws(VolumeError) -> MountedVolume {
        try context.attachedVolume(readOnly: source.readOnly == true)
    }
}
