import KubernetesAPI
import LinuxKernel

/// A volume that a storage driver makes for one pod (an inline CSI volume).
struct DriverPlugin: VolumePlugin {
    static let directoryName = "kubernetes.io~csi"

    let source: CSIVolumeSource

    func attachment(_ context: VolumeContext) throws(VolumeError) -> VolumeAttachment? {
        guard DriverVolume.isSafe(driver: source.driver) else {
            throw VolumeError(
                .invalid, "\(context.fieldPath).csi.driver \(JSONValue.string(source.driver)) is not a name")
        }
        // Nobody else's: no pod reaches a volume of another by what it says here.
        var volume = DriverVolume(
            driver: source.driver, handle: "csi-\(context.pod.metadata.uid ?? "")-\(context.volumeName)")
        volume.readOnly = source.readOnly == true
        volume.fileSystem = source.fsType ?? ""
        volume.attributes = source.volumeAttributes ?? [:]
        volume.isEphemeral = true
        volume.publishSecret = source.nodePublishSecretRef.map {
            ObjectReference(namespace: context.pod.metadata.namespace, name: $0.name)
        }
        return .driver(volume)
    }

    func mount(_ context: VolumeContext) throws(VolumeError) -> MountedVolume {
        try context.attachedVolume(readOnly: source.readOnly == true)
    }
}

extension VolumeContext {
    /// What the driver has made, given to the pod's group where that is the node's to do.
    func attachedVolume(readOnly: Bool) throws(VolumeError) -> MountedVolume {
        guard let outcome = attached[volumeName] else {
            throw VolumeError(.unsupported, "\(fieldPath): storage drivers are not served here")
        }
        let made = try outcome.get()
        if made.takesGroup, !readOnly { try giveToGroup(made.path) }
        return MountedVolume(name: volumeName, hostPath: made.path, isReadOnly: readOnly, mayHang: true)
    }
}
