public import KubernetesAPI
public import LinuxKernel
import SystemPackage

/// The volumes of the pods on this node: made before a pod's containers start, kept up to date while it runs, taken
/// away after its last container ended.
///
/// It remembers nothing: what is mounted and stored below the pods' directories is the state, so an agent that was
/// killed at any point goes on with the next call. Calls for one pod run one after the other.
public actor VolumeManager {
    let stateDirectory: String
    let objects: any VolumeObjectSource
    private let followedObjects: any VolumeObjectSource
    private let nodeAllocatable: @Sendable () -> [String: Quantity]
    private let hostPaths: any HostPathGuarding
    private let claimsDirectory: String?
    let drivers: StorageDrivers?
    let helper: FileSystemHelper?
    let pool: KernelThreadPool
    /// The pods some call works on, each with the calls that wait for their turn.
    private var waiting: [String: [CheckedContinuation<Void, Never>]] = [:]

    /// - Parameters:
    ///   - stateDirectory: the absolute path that holds one directory per pod UID.
    ///   - objects: asked when volumes are made.
    ///   - followedObjects: asked when they are refreshed; may answer from what it has heard. Nil for `objects`.
    ///   - nodeAllocatable: what the node has for pods now, by resource name: bounds volumes in memory.
    ///   - hostPaths: asked about every hostPath volume when it is mounted.
    ///   - claimsDirectory: the absolute path that holds what persistent volume claims keep, one directory per namespace
    ///     with one per claim; nil refuses pods that use claims.
    ///   - drivers: the storage drivers of the node; nil refuses pods that need one.
    ///   - helper: touches what may hang first; nil takes everything for what answers.
    public init(
        stateDirectory: String, objects: any VolumeObjectSource, followedObjects: (any VolumeObjectSource)? = nil,
        nodeAllocatable: @escaping @Sendable () -> [String: Quantity], hostPaths: any HostPathGuarding = NoHostPaths(),
        claimsDirectory: String? = nil, drivers: StorageDrivers? = nil, helper: FileSystemHelper? = nil,
        pool: KernelThreadPool = .foreign
    ) {
        self.stateDirectory = stateDirectory
        self.objects = objects
        self.followedObjects = followedObjects ?? objects
        self.nodeAllocatable = nodeAllocatable
        self.hostPaths = hostPaths
        self.claimsDirectory = claimsDirectory
        self.drivers = drivers
        self.helper = helper
        self.pool = pool
    }

    /// Makes every volume that a container of the pod mounts, or finds it as an earlier call left it; files from
    /// objects get the objects' content of now. All are tried before the first failure is thrown; try again until none
    /// is left.
    ///
    /// - Parameters:
    ///   - ids: host ids of the pod's user namespace; nil with the host's.
    ///   - images: what image volumes show, by volume.
    public func mount(
        _ pod: Pod, ids: IDRange? = nil, images: [String: VolumeImage] = [:]
    ) async throws(VolumeError) -> [String: MountedVolume] {
        try await mountVolumes(of: pod, ids: ids, images: images) { _ in true }
    }

    /// Brings files from ConfigMaps, Secrets and the pod itself up to date. Nothing happens for a pod whose volumes
    /// were taken away. A failed volume keeps its content.
    public func refresh(_ pod: Pod, ids: IDRange? = nil) async throws(VolumeError) {
        let layout = try PodVolumeLayout(stateDirectory: stateDirectory, pod: pod)
        guard FileSystem.exists(layout.volumesDirectory) else { return }
        let revisited = await drivers?.revisited(below: layout.podDirectory) ?? []
        _ = try await mountVolumes(of: pod, ids: ids, onlyIfPresent: true) {
            $0.plugin.isRefreshable || revisited.contains($0.directory)
        }
    }

    /// Whether ``refresh(_:ids:)`` has something to do for the pod though nobody tells of a change.
    public func isRevisited(podUID: String) async -> Bool {
        guard let drivers, let layout = try? PodVolumeLayout(stateDirectory: stateDirectory, podUID: podUID) else {
            return false
        }
        return await !drivers.revisited(below: layout.podDirectory).isEmpty
    }

    /// What to bind into a container, in the order in which to do it.
    ///
    /// - Parameters:
    ///   - volumes: what ``mount(_:)`` gave.
    ///   - environment: the container's variables, for `subPathExpr`.
    public func containerMounts(
        pod: Pod, container: Container, volumes: [String: MountedVolume], environment: [String: String]
    ) async throws(VolumeError) -> [VolumeMountPoint] {
        let layout = try PodVolumeLayout(stateDirectory: stateDirectory, pod: pod)
        let mounts = ContainerMounts(
            layout: layout, container: container, volumes: volumes, environment: environment)
        for volume in mounts.hangable { try await requireAnswer(volume.hostPath, volume: volume.name) }
        return try await exclusively(layout) { () throws(VolumeError) in try mounts.resolve() }
    }

    /// The block devices to make in a container.
    ///
    /// - Parameter volumes: what ``mount(_:ids:images:)`` gave.
    public nonisolated func containerDevices(
        pod: Pod, container: Container, volumes: [String: MountedVolume]
    ) throws(VolumeError) -> [ContainerDevicePoint] {
        let layout = try PodVolumeLayout(stateDirectory: stateDirectory, pod: pod)
        return try ContainerMounts(layout: layout, container: container, volumes: volumes, environment: [:]).devices()
    }

    /// Unmounts and removes the volumes of a pod whose containers have all ended; host paths stay as they are. Fine to
    /// repeat, and for a pod that never had any.
    public func unmount(podUID: String) async throws(VolumeError) {
        try await tearDown(podUID, removesEverything: false)
    }

    /// Like ``unmount(podUID:)``, and removes everything else in the pod's directory, just as careful of links and
    /// mounts.
    public func removePodDirectory(podUID: String) async throws(VolumeError) {
        try await tearDown(podUID, removesEverything: true)
    }

    /// The pods that have a directory here, running or not.
    public func podUIDsOnDisk() async throws(VolumeError) -> Set<String> {
        let directory = stateDirectory
        return try await pool.run { () throws(VolumeError) in
            let names = try volumeCall { () throws(KernelError) in try FileSystem.list(directory) }
            return Set(names.filter(PodVolumeLayout.isValidUID))
        }
    }

    /// What storage drivers say of the volumes they have made for a pod, by the volume's name.
    public func driverStatistics(podUID: String) async -> [String: FileSystemUsage] {
        guard let drivers, let layout = try? PodVolumeLayout(stateDirectory: stateDirectory, podUID: podUID) else {
            return [:]
        }
        return await drivers.statistics(of: layout)
    }

    private func tearDown(_ podUID: String, removesEverything: Bool) async throws(VolumeError) {
        let layout = try PodVolumeLayout(stateDirectory: stateDirectory, podUID: podUID)
        let teardown = PodTeardown(
            stateDirectory: stateDirectory, podUID: podUID, removesEverything: removesEverything,
            hasHelper: helper != nil)
        await enter(layout.podDirectory)
        defer { leave(layout.podDirectory) }
        try await drivers?.unpublishAll(of: layout)
        try await unmountAll(teardown)
        try await pool.run { () throws(VolumeError) in try teardown.remove() }
    }

    private func unmountAll(_ teardown: PodTeardown) async throws(VolumeError) {
        for _ in 0..<PodTeardown.maximumRounds {
            let rest = try await pool.run { () throws(VolumeError) in try teardown.unmountAll() }
            guard let rest, let helper else { return }
            do throws(KernelError) { try await helper.unmount(rest.points, below: rest.directory) } catch {
                throw VolumeError(error)
            }
        }
        throw VolumeError(KernelError("umount", teardown.podUID, errno: .resourceBusy))
    }

    /// Fails when the file system of a path does not answer: no thread of this process is to sleep in it.
    func requireAnswer(_ path: String, volume: String? = nil) async throws(VolumeError) {
        guard let helper else { return }
        do throws(KernelError) { if try await helper.answers(path) { return } } catch { throw VolumeError(error) }
        throw VolumeError(
            .sourceUnavailable,
            "\(path) does not answer: the server, driver or disk behind its file system is gone or overloaded",
            volume: volume)
    }

    private func mountVolumes(
        of pod: Pod, ids: IDRange?, images: [String: VolumeImage] = [:], onlyIfPresent: Bool = false,
        where isWanted: (PlannedVolume) -> Bool
    ) async throws(VolumeError) -> [String: MountedVolume] {
        let layout = try PodVolumeLayout(stateDirectory: stateDirectory, pod: pod)
        let planned = try PlannedVolume.all(of: pod, layout: layout, claims: claimsDirectory)
            .filter(isWanted)
        let names = planned.reduce(into: PodObjectNames()) { $0.formUnion($1.plugin.objectNames(for: pod)) }
        await enter(layout.podDirectory)
        defer { leave(layout.podDirectory) }
        // Read while the pod is ours: an older answer never overwrites a newer one.
        let objects = await PodObjects.fetch(
            names, namespace: pod.metadata.namespace ?? "", from: onlyIfPresent ? followedObjects : self.objects)
        let (allocatable, hostPaths) = (nodeAllocatable(), hostPaths)
        let attached = await attach(planned, isRefresh: onlyIfPresent) { volume in
            VolumeContext(
                pod: pod, volumeName: volume.name, fieldPath: volume.fieldPath, directory: volume.directory,
                objects: objects, nodeAllocatable: allocatable, hostPaths: hostPaths, ids: ids, images: images)
        }
        return try await pool.run { () throws(VolumeError) in
            if onlyIfPresent && !FileSystem.exists(layout.volumesDirectory) { return [:] }
            return try PlannedVolume.mount(
                planned, pod: pod, ids: ids, objects: objects, nodeAllocatable: allocatable, hostPaths: hostPaths,
                images: images, attached: attached)
        }
    }

    private func exclusively<Value: Sendable>(
        _ layout: PodVolumeLayout, _ body: @escaping @Sendable () throws(VolumeError) -> Value
    ) async throws(VolumeError) -> Value {
        await enter(layout.podDirectory)
        defer { leave(layout.podDirectory) }
        return try await pool.run(body)
    }

    private func enter(_ key: String) async {
        guard waiting[key] != nil else {
            waiting[key] = []
            return
        }
        await withCheckedContinuation { waiting[key, default: []].append($0) }
    }

    /// Hands the pod to the next call in line.
    private func leave(_ key: String) {
        guard var line = waiting[key], !line.isEmpty else {
            waiting[key] = nil
            return
        }
        let next = line.removeFirst()
        waiting[key] = line
        next.resume()
    }
}
