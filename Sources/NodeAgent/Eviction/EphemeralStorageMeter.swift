import ContainerRuntime
public import KubernetesAPI
import LinuxKernel

/// Measures what pods take of the node's disks, one at a time on a thread of its own: looking at every file of a tree may take long.
public actor EphemeralStorageMeter {
    private let host: LocalPodHost
    private let pool = KernelThreadPool(threads: 1)
    private var known: [String: (usage: EphemeralStorageUsage, at: ContinuousClock.Instant)] = [:]

    public init(host: LocalPodHost) {
        self.host = host
    }

    /// Measures a pod.
    ///
    /// - Parameter maximumAge: an older measurement is good enough; zero measures now.
    public func usage(of pod: Pod, maximumAge: Duration = .zero) async -> EphemeralStorageUsage {
        let uid = pod.metadata.uid ?? ""
        if let known = known[uid], known.at.duration(to: .now) < maximumAge { return known.usage }
        let trees = await trees(of: pod)
        let usage = await pool.run { trees.measure() }
        known[uid] = (usage, .now)
        return usage
    }

    /// Forgets pods that are gone.
    public func retain(_ uids: Set<String>) { known = known.filter { uids.contains($0.key) } }

    /// Where the pod's files are.
    private struct Trees: Sendable {
        var layers: [String: [String]] = [:]
        var logs: [String: String] = [:]
        var volumes: [String: String] = [:]
        var files: [String] = []

        func measure() -> EphemeralStorageUsage {
            let containers = logs.map { name, directory in
                (
                    name,
                    EphemeralStorageUsage.Container(
                        writableLayer: DiskUsage.measure(layers[name] ?? []), logs: DiskUsage.measure([directory]))
                )
            }
            return EphemeralStorageUsage(
                containers: Dictionary(containers) { first, _ in first },
                volumes: volumes.mapValues { DiskUsage.measure([$0]) }, files: DiskUsage.measure(files))
        }
    }

    private func trees(of pod: Pod) async -> Trees {
        let (places, uid) = (host.configuration.places, pod.metadata.uid ?? "")
        var trees = Trees()
        guard PodPlaces.isSafe(uid: uid) else { return trees }
        let names =
            ((pod.spec.initContainers ?? []) + pod.spec.containers
            + (pod.spec.ephemeralContainers ?? []).map(\.container)).map(\.name)
        for name in names { trees.logs[name] = places.logDirectory(pod, container: name) }
        for instance in await host.runtime.containers(ofPod: uid) {
            trees.layers[instance.metadata.name, default: []].append(
                host.runtime.writableLayer(of: instance.id) + "/upper")
        }
        for volume in pod.spec.volumes ?? [] {
            guard let source = volume.emptyDir, source.medium?.isEmpty ?? true else { continue }
            trees.volumes[volume.name] = places.emptyDirectory(uid, volume: volume.name)
        }
        trees.files = [places.hostsFile(uid), places.resolvConf(uid), places.terminationMessages(uid)]
        return trees
    }
}
