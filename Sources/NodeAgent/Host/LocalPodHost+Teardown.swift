import ContainerRuntime
import Glibc
public import KubernetesAPI
import LinuxKernel
import Logging
import PodNetwork
import Volumes

extension LocalPodHost {
    public func release(_ pod: Pod) async throws(PodHostError) {
        let uid = pod.metadata.uid ?? ""
        do {
            for sandbox in await parts.runtime.sandboxes(ofPod: uid) {
                try await parts.runtime.stopPodSandbox(sandbox.id)
                await parts.network.detach(sandboxID: sandbox.id)
            }
            // Nothing of the pod runs again: the space is the node's from now on, however long the pod is remembered.
            for instance in await parts.runtime.containers(ofPod: uid) {
                try await parts.runtime.discardLayer(of: instance.id)
            }
            unfollow(uid)
            try await parts.volumes.unmount(podUID: uid)
            remember(uid) {
                $0.volumes = nil
                $0.preparedSandbox = nil
            }
            let (cgroups, paths) = (configuration.cgroups, PodPlaces.cgroups(pod))
            try await KernelThreadPool.shared.run { () throws(KernelError) in
                for path in paths { try cgroups.removeTree(path) }
            }
            await processors?.release(podUID: uid)
        } catch {
            throw PodHostError(reason: "FailedKillPod", message: "error killing pod: \(error)")
        }
    }

    /// What ended instances wrote to their roots goes, of pods that go on, too: nobody reads it any more.
    func discardEndedLayers() async {
        for instance in await parts.runtime.containers() where instance.exitRecord != nil {
            do throws(RuntimeError) { try await parts.runtime.discardLayer(of: instance.id) } catch {
                logger.warning("layer not removed", metadata: ["container": "\(instance.id)", "error": "\(error)"])
            }
        }
    }

    public func forget(_ pod: Pod) async throws(PodHostError) {
        let uid = pod.metadata.uid ?? ""
        do {
            for sandbox in await parts.runtime.sandboxes(ofPod: uid) {
                try await parts.runtime.removePodSandbox(sandbox.id)
            }
            for instance in await parts.runtime.containers(ofPod: uid) {
                try await parts.runtime.removeContainer(instance.id)
            }
            let places = configuration.places
            try await KernelThreadPool.shared.run { () throws(KernelError) in
                let prefix = "\(pod.metadata.name ?? "")_\(pod.metadata.namespace ?? "")_"
                let logs = places.logDirectory(pod)
                for link in try FileSystem.list(places.containerLogLinksDirectory) where link.hasPrefix(prefix) {
                    let path = places.containerLogLinksDirectory + "/" + link
                    if FileSystem.linkTarget(path)?.hasPrefix(logs + "/") == true { unlink(path) }
                }
                try FileSystem.removeTree(logs)
            }
            try await parts.volumes.removePodDirectory(podUID: uid)
            dropMemory(uid)
        } catch {
            throw PodHostError(reason: "FailedKillPod", message: "pod's remains not removed: \(error)")
        }
    }
}
