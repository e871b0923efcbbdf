import KubernetesAPI
import LinuxKernel

/// A volume of a pod with the plugin that makes it.
struct PlannedVolume: Sendable {
    let name: String
    /// `spec.volumes[2]`.
    let fieldPath: String
    let directory: String
    let plugin: any VolumePlugin

    /// The volumes some container mounts, in the pod's order. As in Kubernetes one that none mounts is not made, and
    /// does not keep the pod waiting for its objects.
    ///
    /// - Parameter skipsUnknown: leaves out what cannot be made instead of throwing.
    static func all(
        of pod: Pod, layout: PodVolumeLayout, claims: String?, skipsUnknown: Bool = false
    ) throws(VolumeError) -> [PlannedVolume] {
        let spec = pod.spec
        let containers =
            spec.containers + (spec.initContainers ?? []) + (spec.ephemeralContainers ?? []).map(\.container)
        let used = Set(
            containers.flatMap { ($0.volumeMounts ?? []).map(\.name) + ($0.volumeDevices ?? []).map(\.name) })
        var planned: [PlannedVolume] = []
        for (index, volume) in (spec.volumes ?? []).enumerated() where used.contains(volume.name) {
            let fieldPath = "spec.volumes[\(index)]"
            let plugin: any VolumePlugin
            do throws(VolumeError) {
                plugin = try volume.plugin(at: fieldPath, claims: claims, podName: pod.metadata.name)
            } catch {
                if skipsUnknown { continue }
                throw error
            }
            planned.append(
                PlannedVolume(
                    name: volume.name, fieldPath: fieldPath,
                    directory: try layout.volumeDirectory(type(of: plugin).directoryName, volume.name), plugin: plugin))
        }
        return planned
    }

    /// Mounts all, then throws the first failure if there was one.
    static func mount(
        _ planned: [PlannedVolume], pod: Pod, ids: IDRange?, objects: PodObjects, nodeAllocatable: [String: Quantity],
        hostPaths: any HostPathGuarding, images: [String: VolumeImage],
        attached: [String: Result<AttachedVolume, VolumeError>] = [:]
    ) throws(VolumeError) -> [String: MountedVolume] {
        var mounted: [String: MountedVolume] = [:]
        var failure: VolumeError?
        for volume in planned {
            let context = VolumeContext(
                pod: pod, volumeName: volume.name, fieldPath: volume.fieldPath, directory: volume.directory,
                objects: objects, nodeAllocatable: nodeAllocatable, hostPaths: hostPaths, ids: ids,
                images: images, attached: attached)
            do throws(VolumeError) {
                mounted[volume.name] = try volume.plugin.mount(context)
            } catch {
                if failure == nil { failure = error.of(volume: volume.name) }
            }
        }
        if let failure { throw failure }
        return mounted
    }
}
