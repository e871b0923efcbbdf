import ContainerRuntime
import Glibc
import KubernetesAPI
import KubernetesClient
import LinuxKernel
import Logging
import PodNetwork
import Volumes

extension PodWorker {
    /// Stops all containers, then gives back everything but their records. The API hears of the end, and then loses the pod.
    func terminate() async {
        await report(await observe())
        await stopContainers()
        guard await release() else { return }
        await report(await observe(), isFinished: true)
        stage = .terminated
        if isRemoved {
            await forget()
        } else {
            await context.statuses.deletePod(pod)
        }
    }

    /// The pod ended, or was refused: the same, but the pod stays in the API with its result.
    func finishByItself() async {
        guard await release() else {
            poke()
            return
        }
        await report(await observe(), isFinished: failure == nil)
        if stage == .terminating {
            stage = .terminated
            await context.statuses.deletePod(pod)
        } else {
            stage = .syncing
        }
        if isRemoved { await forget() }
    }

    private func stopContainers() async {
        let grace = Duration.seconds(gracePeriodSeconds ?? 30)
        let runtime = context.runtime
        await withTaskGroup(of: Void.self) { group in
            for instance in await runtime.containers(ofPod: uid) where instance.exitRecord == nil {
                let name = instance.metadata.name
                record(.normal, "Killing", "Stopping container \(name)", container: name)
                group.addTask { try? await runtime.stopContainer(instance.id, gracePeriod: grace) }
            }
        }
    }

    /// Network, namespaces, volumes, cgroup. False when something is still there: it is tried again.
    private func release() async -> Bool {
        do {
            for sandbox in await context.runtime.sandboxes(ofPod: uid) {
                try await context.runtime.stopPodSandbox(sandbox.id)
                await context.network.detach(sandboxID: sandbox.id)
            }
            try await context.volumes.unmount(podUID: uid)
            mountedVolumes = nil
            let (cgroups, path) = (context.configuration.cgroups, PodPlaces.cgroup(pod))
            try await KernelThreadPool.shared.run { () throws(KernelError) in try cgroups.removeTree(path) }
            return true
        } catch {
            logger.warning("pod not fully torn down", metadata: ["error": "\(error)"])
            record(.warning, "FailedKillPod", "error killing pod: \(error)")
            return false
        }
    }

    /// Gone from its source: records, logs and directories go too.
    func forget() async {
        do {
            for sandbox in await context.runtime.sandboxes(ofPod: uid) {
                try await context.runtime.removePodSandbox(sandbox.id)
            }
            for instance in await context.runtime.containers(ofPod: uid) {
                try await context.runtime.removeContainer(instance.id)
            }
            let (places, pod) = (context.configuration.places, pod)
            try await KernelThreadPool.shared.run { () throws(KernelError) in
                let prefix = "\(pod.metadata.name ?? "")_\(pod.metadata.namespace ?? "")_"
                let logs = places.logDirectory(pod)
                for link in try FileSystem.list(places.containerLogLinksDirectory) where link.hasPrefix(prefix) {
                    let path = places.containerLogLinksDirectory + "/" + link
                    if FileSystem.linkTarget(path)?.hasPrefix(logs + "/") == true { unlink(path) }
                }
                try FileSystem.removeTree(logs)
            }
            try await context.volumes.removePodDirectory(podUID: uid)
        } catch {
            logger.warning("pod's remains not removed", metadata: ["error": "\(error)"])
        }
        await context.statuses.forget(uid: uid)
        stage = .finished
    }
}
