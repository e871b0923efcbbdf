import CLinux
import Glibc
import KubernetesAPI
public import LinuxKernel
public import Logging
import SystemPackage

/// The storage drivers (CSI) of this node: those whose registration socket is in one directory, as kubelets know it.
///
/// What is published is on disk before a driver is asked (``DriverRecord``), every call may be repeated, and the last pod of a volume
/// unstages it: so whatever ends the agent, the next one goes on.
public actor StorageDrivers {
    private let root: String
    private let podsDirectory: String
    private let logger: Logger
    private let pool: KernelThreadPool
    /// By name.
    private var drivers: [String: StorageDriver] = [:]
    /// What they say of this node, by name.
    private var identities: [String: DriverIdentity] = [:]
    private var told: DriverInventory?
    /// The drivers, first once their sockets have been looked for, and then with each change. For one reader.
    public nonisolated let changes: AsyncStream<DriverInventory>
    private let change: AsyncStream<DriverInventory>.Continuation
    /// ``volumesInUse()`` may have changed. For one reader.
    public nonisolated let uses: AsyncStream<Void>
    private let use: AsyncStream<Void>.Continuation
    /// As read from disk; nil when that is to be done, again or for the first time.
    private var inUse: [String]?
    private var useGeneration: UInt64 = 0
    /// Registration sockets that were heard, each with its driver.
    private var registered: [String: String] = [:]
    /// Targets that a driver has said to this process are published. What it was only asked for may be half done, so it is asked again.
    private var published: Set<String> = []
    /// Those of them that are looked at again while their pod runs: their driver wants to be asked again, or can make them larger.
    private var revisited: Set<String> = []
    /// The volumes some call works on, each with the calls that wait for their turn.
    private var waiting: [String: [CheckedContinuation<Void, Never>]] = [:]

    /// - Parameter root: the node's state directory: registration sockets appear in its `plugins_registry`.
    public init(root: String, logger: Logger, pool: KernelThreadPool = .shared) {
        self.root = root
        podsDirectory = root + "/pods"
        self.logger = logger
        self.pool = pool
        (changes, change) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        (uses, use) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    private var registryDirectory: String { root + "/plugins_registry" }

    // MARK: Registration

    /// A safety net for what inotify does not tell, and how soon a driver that could not be heard is asked again.
    private static let rereadInterval = Duration.seconds(300)
    private static let retryInterval = Duration.seconds(2)
    private static let registrationTimeout = Duration.seconds(10)
    /// More sockets than this are not looked at.
    private static let driverLimit = 64

    /// Follows the directory of registration sockets until cancelled.
    public func run(loop: EpollLoop) async {
        let directory = registryDirectory
        do {
            try await pool.run { () throws(KernelError) in try FileSystem.makeDirectories(directory, mode: 0o750) }
        } catch {
            return logger.warning("storage drivers cannot register", metadata: ["error": "\(error)"])
        }
        while !Task.isCancelled {
            // Before the look: what changes meanwhile is looked at next.
            let inotify = try? Inotify(loop: loop)
            defer { inotify?.close() }
            let isWatched = (try? inotify?.watch(directory, mask: Inotify.directoryChanges)) != nil
            let hasFailed = await !scan()
            await Self.wait(
                isWatched ? inotify : nil, atMost: hasFailed ? Self.retryInterval : Self.rereadInterval)
        }
    }

    /// Until something has changed since the watch began, or the time is over.
    private static func wait(_ inotify: Inotify?, atMost limit: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            if let inotify { group.addTask { for await _ in inotify.events { return } } }
            group.addTask { try? await ContinuousClock().sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }

    /// False when a driver could not be heard yet.
    private func scan() async -> Bool {
        let directory = registryDirectory
        let sockets = await pool.run { () -> [String] in
            let names = ((try? FileSystem.list(directory)) ?? []).sorted().map { directory + "/" + $0 }
            return Array(names.filter(Self.isSocket).prefix(Self.driverLimit))
        }
        for (socket, name) in registered where !sockets.contains(socket) {
            registered[socket] = nil
            drivers[name] = nil
            identities[name] = nil
            logger.notice("storage driver gone", metadata: ["driver": "\(name)"])
        }
        var isComplete = true
        for socket in sockets where registered[socket] == nil {
            do throws(StorageCall.Failure) { try await register(socket) } catch {
                isComplete = false
                logger.info("storage driver not heard", metadata: ["socket": "\(socket)", "error": "\(error)"])
            }
        }
        let inventory = DriverInventory(
            drivers: identities.values.sorted { $0.name < $1.name }, isComplete: isComplete)
        if inventory != told {
            told = inventory
            change.yield(inventory)
        }
        return isComplete
    }

    private static func isSocket(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
    }

    /// `pluginregistration.Registration`: the driver says who it is, and hears whether it is taken.
    private func register(_ socket: String) async throws(StorageCall.Failure) {
        let call = StorageCall(socketPath: socket)
        let service = "/pluginregistration.Registration"
        let information = try await call.ask("\(service)/GetInfo", timeout: Self.registrationTimeout)
        let (name, endpoint) = (information.text(2), information.text(3))
        // Device plugins register in the same place.
        guard information.text(1) == "CSIPlugin" else {
            registered[socket] = ""
            return
        }
        var problem = Self.problem(name, versions: information.texts(4))
        if problem.isEmpty {
            let path = endpoint.isEmpty ? socket : endpoint
            do throws(StorageCall.Failure) {
                let capabilities = try await StorageDriver.capabilities(
                    StorageCall(socketPath: path), timeout: Self.registrationTimeout)
                let node = try await StorageCall(socketPath: path).ask(
                    "/csi.v1.Node/NodeGetInfo", timeout: Self.registrationTimeout)
                identities[name] = try DriverIdentity(name: name, node)
                drivers[name] = StorageDriver(name: name, endpoint: path, capabilities: capabilities)
            } catch { problem = "\(error)" }
        }
        var status = ProtobufMessage()
        status.add(1, problem.isEmpty)
        status.add(2, problem)
        _ = try await call.ask("\(service)/NotifyRegistrationStatus", status, timeout: Self.registrationTimeout)
        guard problem.isEmpty else { throw StorageCall.Failure(code: StorageCall.Failure.unknown, message: problem) }
        registered[socket] = name
        logger.notice("storage driver registered", metadata: ["driver": "\(name)"])
    }

    private static func problem(_ name: String, versions: [String]) -> String {
        if !DriverVolume.isSafe(driver: name) { return "\(JSONValue.string(name)) is not a driver's name" }
        let isKnown = versions.contains { $0.hasPrefix("1.") || $0.hasPrefix("v1.") }
        return isKnown ? "" : "supported versions \(versions) have none of CSI 1"
    }

    // MARK: Volumes

    /// What a call brings along.
    struct Publication: Sendable {
        var volume: DriverVolume
        var rules: DriverRules
        /// The volume's own directory below the pod's.
        var directory: String
        /// Also when the volume itself may be written.
        var readOnly: Bool
        var group: UInt32?
        var stageSecrets: [String: String] = [:]
        var publishSecrets: [String: String] = [:]
        var podFacts: [String: String] = [:]
        /// What was said when the volume was attached.
        var attachmentContext: [String: String]?
        /// The pod runs, and its volumes are brought up to date.
        var isRefresh = false
    }

    /// Has the driver make the volume for a pod, or finds it made.
    func publish(_ publication: Publication) async throws(VolumeError) -> AttachedVolume {
        let volume = publication.volume
        let target = publication.directory + "/mount"
        guard let driver = drivers[volume.driver] else {
            throw VolumeError(
                .sourceUnavailable,
                "driver name \(volume.driver) not found in the list of registered CSI drivers: none has its socket in "
                    + registryDirectory)
        }
        let stages = driver.capabilities.contains(.stageUnstageVolume) && !volume.isEphemeral
        let staging = stages ? stagingPath(volume.driver, volume.handle) : nil
        guard HandleName.of(volume.handle).utf8.count <= 255 else {
            throw VolumeError(
                .unsupported, "volume handle \(JSONValue.string(volume.handle)) is too long for a file's name")
        }
        let record = DriverRecord(
            driver: volume.driver, endpoint: driver.endpoint, handle: volume.handle, target: target, staging: staging,
            isAttached: publication.attachmentContext != nil)
        await enter(record.key)
        defer { leave(record.key) }
        let wasPublished = published.contains(target)
        let isThere = try await pool.run { () throws(VolumeError) in
            if wasPublished, try Self.isMounted(target) { return true }
            try record.write(of: publication.directory)
            // The driver makes the target itself; the staging directory is ours to make.
            try volumeCall { () throws(KernelError) in
                try FileSystem.makeDirectories(publication.directory, mode: 0o750)
                if let staging, try !Mount.isMountPoint(staging) {
                    try FileSystem.makeDirectories(staging, mode: 0o750)
                }
            }
            return false
        }
        if record.isAttached == true, !isThere { useChanged() }
        let driverGives = driver.capabilities.contains(.volumeMountGroup)
        let made = AttachedVolume(
            path: target, takesGroup: publication.rules.givesToGroup(volume, driverDoes: driverGives))
        let grows = driver.capabilities.contains(.expandVolume) && !volume.isEphemeral
        if publication.rules.republishes || grows { revisited.insert(target) } else { revisited.remove(target) }
        if isThere, !(publication.isRefresh && publication.rules.republishes) { return made }
        if let staging, !isThere {
            try await driver.stage(
                volume, at: staging, group: publication.group, context: publication.attachmentContext ?? [:],
                secrets: publication.stageSecrets)
        }
        try await driver.publish(
            volume, at: target, staging: staging, group: publication.group,
            readOnly: publication.readOnly || volume.readOnly, context: publication.attachmentContext ?? [:],
            secrets: publication.publishSecrets, podFacts: publication.podFacts)
        published.insert(target)
        return made
    }

    /// Has the driver do the node's part of making a published volume larger. False when that is nothing of this driver's.
    func expand(
        _ publication: Publication, to size: Int64, secrets: [String: String]
    ) async throws(VolumeError) -> Bool {
        let volume = publication.volume
        guard let driver = drivers[volume.driver], driver.capabilities.contains(.expandVolume) else { return false }
        let key = volume.driver + "/" + volume.handle
        await enter(key)
        defer { leave(key) }
        let stages = driver.capabilities.contains(.stageUnstageVolume)
        try await driver.expand(
            volume, at: publication.directory + "/mount",
            staging: stages ? stagingPath(volume.driver, volume.handle) : nil, to: size, group: publication.group,
            secrets: secrets)
        logger.notice("volume made larger", metadata: ["driver": "\(volume.driver)", "bytes": "\(size)"])
        return true
    }

    /// The volumes below a pod's directory that are to be looked at again while it runs: the directories of
    /// ``Publication/directory``.
    func revisited(below podDirectory: String) -> Set<String> {
        Set(revisited.filter { $0.hasPrefix(podDirectory + "/") }.map { $0.splitAtLastSlash.parent })
    }

    /// What drivers say of the volumes they have made for a pod, by the volume's name: of those drivers that say anything. One that
    /// does not answer is left out.
    func statistics(of layout: PodVolumeLayout) async -> [String: FileSystemUsage] {
        let records = try? await pool.run { () throws(VolumeError) in
            try DriverRecord.all(in: layout).map { Entry(file: $0.file, record: $0.record) }
        }
        var found: [String: FileSystemUsage] = [:]
        for entry in records ?? [] {
            let record = entry.record
            guard let driver = drivers[record.driver], driver.capabilities.contains(.getVolumeStats),
                published.contains(record.target)
            else { continue }
            do throws(VolumeError) {
                found[record.volumeName] = try await driver.statistics(
                    of: record.handle, at: record.target, staging: record.staging)
            } catch { logger.debug("volume not measured", metadata: ["error": "\(error)"]) }
        }
        return found
    }

    /// Has the drivers take back what they have made for a pod. Throws while one of them is left to be asked.
    func unpublishAll(of layout: PodVolumeLayout) async throws(VolumeError) {
        let records = try await pool.run { () throws(VolumeError) in
            try DriverRecord.all(in: layout).map { Entry(file: $0.file, record: $0.record) }
        }
        var failure: VolumeError?
        for entry in records {
            do throws(VolumeError) { try await unpublish(entry) } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
    }

    private struct Entry: Sendable {
        var file: String
        var record: DriverRecord
    }

    private func unpublish(_ entry: Entry) async throws(VolumeError) {
        let record = entry.record
        await enter(record.key)
        defer { leave(record.key) }
        // One that registered anew may have another socket.
        let driver = drivers[record.driver] ?? StorageDriver(name: record.driver, endpoint: record.endpoint)
        published.remove(record.target)
        revisited.remove(record.target)
        try await driver.unpublish(record.handle, at: record.target)
        if let staging = record.staging, try await isLast(entry) {
            try await driver.unstage(record.handle, at: staging)
            try await pool.run { () throws(VolumeError) in
                try volumeCall { () throws(KernelError) in
                    // Empty by now, or something is still mounted there: then it stays.
                    for path in [staging, staging.splitAtLastSlash.parent] where rmdir(path) != 0 {
                        let error = KernelError.last("rmdir", path)
                        if error.errno != .noSuchFileOrDirectory { throw error }
                    }
                }
            }
        }
        try await pool.run { () throws(VolumeError) in
            try volumeCall { () throws(KernelError) in
                _ = try kernelCall("unlink", entry.file) { unlink(entry.file) }
            }
        }
        if record.isAttached == true { useChanged() }
    }

    /// The attached volumes that some pod's directory has, or is about to have, by their names in a Node's status.
    public func volumesInUse() async throws(VolumeError) -> [String] {
        if let inUse { return inUse }
        let (directory, generation) = (podsDirectory, useGeneration)
        let found = try await pool.run { () throws(VolumeError) in
            let uids = try volumeCall { () throws(KernelError) in try FileSystem.list(directory) }
            var names: Set<String> = []
            for uid in uids where PodVolumeLayout.isValidUID(uid) {
                let layout = try PodVolumeLayout(stateDirectory: directory, podUID: uid)
                for (_, record) in try DriverRecord.all(in: layout) where record.isAttached == true {
                    names.insert(record.uniqueName)
                }
            }
            return names.sorted()
        }
        if generation == useGeneration { inUse = found }
        return found
    }

    private func useChanged() {
        useGeneration &+= 1
        inUse = nil
        use.yield()
    }

    /// Whether no other pod has the volume.
    private func isLast(_ entry: Entry) async throws(VolumeError) -> Bool {
        let directory = podsDirectory
        return try await pool.run { () throws(VolumeError) in
            let uids = try volumeCall { () throws(KernelError) in try FileSystem.list(directory) }
            for uid in uids where PodVolumeLayout.isValidUID(uid) {
                let layout = try PodVolumeLayout(stateDirectory: directory, podUID: uid)
                for (file, record) in try DriverRecord.all(in: layout)
                where file != entry.file && record.key == entry.record.key {
                    return false
                }
            }
            return true
        }
    }

    /// As kubelets lay it out; a handle may be any text, so its place has a name made from it.
    private func stagingPath(_ driver: String, _ handle: String) -> String {
        "\(root)/plugins/kubernetes.io/csi/\(driver)/\(HandleName.of(handle))/globalmount"
    }

    /// Without a look at what is mounted there: it may hang.
    private static func isMounted(_ path: String) throws(VolumeError) -> Bool {
        try volumeCall { () throws(KernelError) in try Mount.isMountPoint(path) }
    }

    // MARK: One call at a time for each volume

    private func enter(_ key: String) async {
        guard waiting[key] != nil else {
            waiting[key] = []
            return
        }
        await withCheckedContinuation { waiting[key, default: []].append($0) }
    }

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

extension DriverRecord {
    /// Which volume it is of.
    var key: String { driver + "/" + handle }
}

/// A file's name for a volume's handle, which is any text: different ones for different handles.
enum HandleName {
    static func of(_ handle: String) -> String {
        handle.utf8.map { byte in
            let isPlain = PodVolumeLayout.isNameByte(byte) && byte != UInt8(ascii: ".")
            if isPlain { return String(UnicodeScalar(byte)) }
            let digits = String(byte, radix: 16)
            return "%" + (digits.count == 1 ? "0" : "") + digits
        }.joined()
    }
}
