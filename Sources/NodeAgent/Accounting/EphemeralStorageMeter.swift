import ContainerRuntime
public import KubernetesAPI
import KubernetesClient
import LinuxKernel
import Volumes

/// Measures what pods take of the node's disks, one at a time on a thread of its own: looking at every file of a tree may take long.
///
/// Whoever only wants to tell of it gets the last measurement, and starts a new one of what is older than a minute: nothing is
/// measured while nobody asks.
public actor EphemeralStorageMeter {
    private let host: LocalPodHost
    private let clock: any Clock<Duration>
    private let pool = KernelThreadPool(threads: 1)
    private var known: [String: (usage: EphemeralStorageUsage, at: ContinuousClock.Instant)] = [:]
    private var asked: [Pod] = []
    private let wake = WakeSignal()

    /// How old a measurement may get while somebody asks.
    static let maximumAge = Duration.seconds(60)
    /// Between two rounds of measurements, however short they were.
    private static let shortestRest = Duration.seconds(1)
    /// The share of time for which trees may be walked.
    static let restPerWork = 20

    public init(host: LocalPodHost, clock: any Clock<Duration> = ContinuousClock()) {
        self.host = host
        self.clock = clock
    }

    /// Measures what ``latest(of:)`` was asked for, until cancelled.
    public func run() async {
        while !Task.isCancelled {
            let generation = wake.generation
            if asked.isEmpty { await wake.wait(after: generation) }
            let (pods, start) = (asked, ContinuousClock.now)
            asked = []
            for pod in pods where !Task.isCancelled { _ = await usage(of: pod, maximumAge: Self.maximumAge) }
            let work = start.duration(to: .now)
            try? await clock.sleep(for: max(Self.shortestRest, work * Self.restPerWork), tolerance: nil)
        }
    }

    /// What is known of these pods now, by UID. What has never been measured, or too long ago, will be soon.
    public func latest(of pods: [Pod]) -> [String: EphemeralStorageUsage] {
        let now = ContinuousClock.now
        asked = pods.filter { pod in
            known[pod.metadata.uid ?? ""].map { $0.at.duration(to: now) >= Self.maximumAge } ?? true
        }
        if !asked.isEmpty { wake.signal() }
        return known.mapValues(\.usage)
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
        var mounted: [String: (path: String, claim: String?)] = [:]
        /// Their drivers have said what is in them.
        var told: [String: EphemeralStorageUsage.Mounted] = [:]

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
                volumes: volumes.mapValues { DiskUsage.measure([$0]) }, files: DiskUsage.measure(files),
                mounted: mounted.compactMapValues { place in
                    (try? FileSystemUsage.read(place.path)).map {
                        EphemeralStorageUsage.Mounted(fileSystem: $0, claim: place.claim)
                    }
                }.merging(told) { $1 }, time: .now())
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
            if let source = volume.emptyDir {
                let path = places.emptyDirectory(uid, volume: volume.name)
                if source.medium?.isEmpty ?? true {
                    trees.volumes[volume.name] = path
                } else {
                    trees.mounted[volume.name] = (path, nil)
                }
            }
            // Claims of the node's own manifests are directories of the node.
            if let source = volume.persistentVolumeClaim, pod.isStatic,
                let path = places.claim(source.claimName, namespace: pod.metadata.namespace ?? "")
            {
                trees.mounted[volume.name] = (path, source.claimName)
            }
        }
        let told = await host.volumes(of: pod).driverStatistics(podUID: uid)
        for volume in pod.spec.volumes ?? [] {
            guard let usage = told[volume.name] else { continue }
            let made = volume.ephemeral == nil ? nil : "\(pod.metadata.name ?? "")-\(volume.name)"
            trees.told[volume.name] = EphemeralStorageUsage.Mounted(
                fileSystem: usage, claim: volume.persistentVolumeClaim?.claimName ?? made)
        }
        trees.files = [places.hostsFile(uid), places.resolvConf(uid), places.terminationMessages(uid)]
        return trees
    }
}
