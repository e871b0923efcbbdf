import ContainerImages
public import KubernetesAPI
import Volumes

extension LocalPodHost {
    public func pendingImageVolumes(of pod: Pod) async -> [ImageVolumeSource] {
        guard memory(pod.metadata.uid ?? "").volumes == nil else { return [] }
        return Self.imageVolumes(of: pod).map(\.source)
    }

    /// What image volumes are to show: the images as they are on the node now.
    func volumeImages(of pod: Pod) async throws(PodHostError) -> [String: VolumeImage] {
        var images: [String: VolumeImage] = [:]
        for (name, source) in Self.imageVolumes(of: pod) {
            let reference = source.reference ?? ""
            guard !ImageReference.isHostRootfs(reference) else {
                throw PodHostError(
                    reason: "FailedMount",
                    message: "volume \"\(name)\": \(reference) is no image that can be mounted; use a hostPath volume")
            }
            guard let stored = await parts.images.use(reference) else {
                throw PodHostError(
                    reason: "FailedMount", message: "volume \"\(name)\": image \"\(reference)\" is not on this node")
            }
            if let problem = distrust(of: stored, as: reference) {
                throw PodHostError(
                    reason: Self.distrusted, message: "volume \"\(name)\": image \"\(reference)\": \(problem)")
            }
            images[name] = VolumeImage(id: stored.id, lowerDirectories: await parts.images.layers(of: stored))
        }
        return images
    }

    /// Those that some container mounts.
    private static func imageVolumes(of pod: Pod) -> [(name: String, source: ImageVolumeSource)] {
        let spec = pod.spec
        let containers =
            spec.containers + (spec.initContainers ?? []) + (spec.ephemeralContainers ?? []).map(\.container)
        let used = Set(containers.flatMap { ($0.volumeMounts ?? []).map(\.name) })
        return (spec.volumes ?? []).compactMap { volume in
            volume.image.flatMap { used.contains(volume.name) ? (volume.name, $0) : nil }
        }
    }
}
