import Glibc
public import LinuxKernel
public import Logging
public import MonitorCore
import Synchronization
import SystemPackage

/// The container runtime: sandboxes and containers, CRI-shaped. It knows nothing of pods.
///
/// Truth is in the kernel and in each container's directory; what this actor holds is rebuilt from there by ``start()``.
/// ``run()`` has to be running for anything to happen.
public actor RuntimeService {
    struct Entry {
        var status: ContainerInstance
        /// Made by an agent before this one.
        var isAdopted = false
        /// For the words of a launch failure; nil after an adoption.
        var plan: LaunchPlan?
        var connection: MonitorConnection?
        /// Our child to reap; nil after an adoption, when init (pid 1) reaps it.
        var monitorPID: pid_t?
        var waiters: [AsyncStream<ContainerInstanceState>.Continuation] = []
        var isRemoving = false
        /// Sent once: to some programs a second one means at once.
        var hasStopSignal = false
        /// Of commands that were run in it.
        var executionPlans: [[String]: ExecutionPlan] = [:]
    }

    let configuration: RuntimeConfiguration
    let logger: Logger
    /// Where the news of all containers and commands come in. What mostly waits for them runs on its executor, without a change of
    /// threads for each.
    public nonisolated let loop: EpollLoop
    let pool = KernelThreadPool.shared
    let bootID: String
    /// Filled by ``insert(_:)``, emptied by ``forget(_:)``.
    var containersByID: [String: Entry] = [:]
    private var containerIDsByPod: [String: Set<String>] = [:]
    var sandboxesByID: [String: PodSandbox] = [:]
    /// Those whose namespaces exist.
    var readySandboxes: Set<String> = []
    let executions = ExecutionTable()
    /// /dev/null, the standard input of commands that have none.
    let nullDevice: OwnedDescriptor
    /// Host ids of pods with user namespaces; nil before ``start()``.
    var idAllocator: IDRangeAllocator?
    /// Why no pod can have a user namespace; nil when pods can.
    public internal(set) var userNamespaceProblem: String? = "the node is still starting"

    private let notifications: AsyncStream<(String, MonitorConnection.Notification)>
    let notify: AsyncStream<(String, MonitorConnection.Notification)>.Continuation
    /// What happened to containers, in order, for one consumer. Bounded by the number of containers: each has three events.
    public nonisolated let events: AsyncStream<RuntimeEvent>
    private let publish: AsyncStream<RuntimeEvent>.Continuation

    public init(configuration: RuntimeConfiguration, logger: Logger) throws(RuntimeError) {
        self.configuration = configuration
        self.logger = logger
        do throws(KernelError) {
            loop = try EpollLoop(name: "monitors")
            bootID = try ProcFS.bootID()
            nullDevice = try OwnedDescriptor.open("/dev/null", O_RDONLY)
        } catch { throw RuntimeError(error) }
        (notifications, notify) = AsyncStream.makeStream()
        (events, publish) = AsyncStream.makeStream()
    }

    /// Carries what monitors say into the state, until cancelled. The clearing up after one container (which may wait for a
    /// process that does not die) never keeps the news of another.
    public func run() async {
        await withDiscardingTaskGroup { group in
            for await (id, notification) in notifications {
                switch notification {
                case .event(.exited(let record)):
                    await keepFailure(id, record)
                    if let remains = finish(id, record) { group.addTask { await self.clearUp(remains) } }
                case .event(let event): handle(event, of: id)
                case .closed: group.addTask { await self.monitorClosed(id) }
                }
            }
        }
    }

    // MARK: Reading

    public func containers() -> [ContainerInstance] {
        containersByID.values.map(\.status).filter { !$0.config.isSandboxProcess }
    }

    public func container(_ id: String) -> ContainerInstance? { containersByID[id]?.status }

    public func sandboxes() -> [PodSandbox] { Array(sandboxesByID.values) }

    public func containers(ofPod uid: String) -> [ContainerInstance] {
        entries(ofPod: uid).map(\.status).filter { !$0.config.isSandboxProcess }
    }

    public func sandboxes(ofPod uid: String) -> [PodSandbox] { sandboxesByID.values.filter { $0.podUID == uid } }

    /// The newest sandbox of a pod that has its namespaces, which a stopped one has not, nor one whose process is gone.
    public func readySandbox(ofPod uid: String) -> PodSandbox? {
        sandboxes(ofPod: uid).filter { sandbox in
            readySandboxes.contains(sandbox.id)
                && (sandbox.processNamespace != .pod || sandboxProcess(of: sandbox) != nil)
        }.max { $0.attempt < $1.attempt }
    }

    public nonisolated func usage(of status: ContainerInstance) throws(RuntimeError) -> CgroupUsage {
        do throws(KernelError) { return try configuration.cgroups.usage(status.config.cgroupPath) } catch {
            throw RuntimeError(error)
        }
    }

    func insert(_ entry: Entry) {
        containersByID[entry.status.id] = entry
        containerIDsByPod[entry.status.metadata.podUID, default: []].insert(entry.status.id)
    }

    /// Those of one pod, sandbox processes included.
    func entries(ofPod uid: String) -> [Entry] {
        (containerIDsByPod[uid] ?? []).compactMap { containersByID[$0] }
    }

    func entries(in sandbox: PodSandbox) -> [Entry] {
        entries(ofPod: sandbox.podUID).filter { $0.status.sandboxID == sandbox.id }
    }

    private func forget(_ id: String) {
        guard let uid = containersByID.removeValue(forKey: id)?.status.metadata.podUID else { return }
        containerIDsByPod[uid]?.remove(id)
        if containerIDsByPod[uid]?.isEmpty == true { containerIDsByPod[uid] = nil }
    }

    // MARK: Life of a container

    /// Makes a container and sets it up, blocked before its first instruction.
    public func createContainer(_ config: ContainerConfig) async throws(RuntimeError) -> ContainerInstance {
        guard let sandbox = sandboxesByID[config.sandboxID] else {
            throw RuntimeError(.notFound, "sandbox \(config.sandboxID) does not exist")
        }
        let id = Identifier.random()
        var config = config
        // Now, not at each use: an exec has what its container has, whatever a later agent holds.
        config.capabilities = (config.privileged ? .everything : config.capabilities).intersection(.held)
        config.hasAttachments = true
        let (configuration, bootID, target) = (configuration, bootID, try target(of: config, in: sandbox))
        let fixed = config
        let made = try await pool.run { () throws(RuntimeError) in
            try ContainerLaunch.make(id, fixed, sandbox, configuration, bootID: bootID, target: target)
        }
        let status = ContainerInstance(
            id: id, config: fixed, createdAt: made.createdAt, state: .launching, shortfalls: made.shortfalls)
        var entry = Entry(status: status, plan: made.plan, monitorPID: made.monitorPID)
        do throws(KernelError) { entry.connection = try connect(made.takeSocket(), id) } catch {
            throw RuntimeError(error)
        }
        insert(entry)
        let state = await waitForState(of: id) { state in
            if case .launching = state { return false }
            return true
        }
        if case .exited(let record)? = state {
            let failure = launchError(record, id)
            await remove(id)
            await giveUpIfUnpinned(sandbox)
            throw failure
        }
        guard let status = containersByID[id]?.status else {
            throw RuntimeError(.notFound, "container \(id) was removed while it was being created")
        }
        return status
    }

    /// In whose PID namespace the container goes; nil for one of its own, or the host's.
    private func target(
        of config: ContainerConfig, in sandbox: PodSandbox
    ) throws(RuntimeError) -> ProcessIdentity? {
        guard let id = config.targetContainerID else {
            guard sandbox.processNamespace == .pod, !config.isSandboxProcess else { return nil }
            guard case .running(let identity, _)? = sandboxProcess(of: sandbox)?.state else {
                throw RuntimeError(.invalidState, "the process that holds the pod's PID namespace is gone")
            }
            return identity
        }
        guard case .running(let identity, _)? = containersByID[id]?.status.state else {
            throw RuntimeError(.invalidState, "target container \(id) is not running")
        }
        return identity
    }

    /// Releases a created container and waits for the proof that its program runs.
    public func startContainer(_ id: String) async throws(RuntimeError) {
        guard let entry = containersByID[id] else { throw RuntimeError(.notFound, "container \(id) does not exist") }
        guard case .created = entry.status.state, let connection = entry.connection else {
            throw RuntimeError(.invalidState, "container \(id) is not in the state Created")
        }
        do throws(KernelError) { try connection.send(.release) } catch {
            throw RuntimeError(.monitorLost, "the container's monitor is gone: \(error)")
        }
        let state = await waitForState(of: id) { state in
            switch state {
            case .launching, .created: false
            case .running, .exited: true
            }
        }
        if case .exited(let record)? = state, record.failure != nil { throw launchError(record, id) }
    }

    /// Sends `signal` (SIGTERM unless the image says otherwise), waits `gracePeriod`, and then kills everything in the container's cgroup. Returns when it has ended,
    /// or, with the container as it is then, when the caller is cancelled.
    public func stopContainer(
        _ id: String, signal: Int32 = 15, gracePeriod: Duration
    ) async throws(RuntimeError) {
        guard let entry = containersByID[id], entry.status.exitRecord == nil else { return }
        if gracePeriod > .zero, let connection = entry.connection {
            do throws(KernelError) {
                if !entry.hasStopSignal { try connection.send(.signal(signal)) }
                containersByID[id]?.hasStopSignal = true
                if await waitForExit(of: id, timeout: gracePeriod) { return }
                // Not the grace is over but the agent: the next one stops the container anew.
                if Task.isCancelled { return }
            } catch {
                logger.warning("monitor does not take the stop signal", metadata: ["container": "\(id)"])
            }
        }
        // A container that was never released obeys no signal but this one.
        try? entry.connection?.send(.signal(SIGKILL))
        let (cgroups, path) = (configuration.cgroups, entry.status.config.cgroupPath)
        try await pool.run { () throws(RuntimeError) in
            do throws(KernelError) { try cgroups.kill(path) } catch {
                if error.errno != .noSuchFileOrDirectory { throw RuntimeError(error) }
            }
        }
        _ = await waitForExit(of: id)
    }

    /// Forgets an exited container and removes what it left: its writable layer, record and cgroup.
    public func removeContainer(_ id: String) async throws(RuntimeError) {
        guard let entry = containersByID[id] else { return }
        guard entry.status.exitRecord != nil else {
            throw RuntimeError(.invalidState, "container \(id) still runs: stop it first")
        }
        await remove(id)
    }

    /// After a rotation by the caller: the monitor opens the log's path anew.
    public func reopenLog(of id: String) throws(RuntimeError) {
        guard let connection = containersByID[id]?.connection else { return }
        do throws(KernelError) { try connection.send(.reopenLog) } catch { throw RuntimeError(error) }
    }

    // MARK: State

    func connect(_ socket: consuming OwnedDescriptor, _ id: String) throws(KernelError) -> MonitorConnection {
        let (notify, executions) = (notify, executions)
        return try MonitorConnection(socket, loop: loop) { notification in
            switch notification {
            case .event(let event) where executions.take(event): return
            case .event(.exited), .closed: executions.abandonAll(in: id)
            case .event: break
            }
            notify.yield((id, notification))
        }
    }

    private func launchError(_ record: ExitRecord, _ id: String) -> RuntimeError {
        guard let failure = record.failure else {
            return RuntimeError(.launchFailed, "the container ended before it was set up (signal \(record.signal))")
        }
        let message = containersByID[id]?.plan.map(failure.message(in:)) ?? "launch step \(failure.step) failed"
        return RuntimeError(.launchFailed, message, launchFailure: failure)
    }

    private func handle(_ event: MonitorEvent, of id: String) {
        guard let entry = containersByID[id] else { return }
        let kind: RuntimeEvent.Kind
        switch event {
        case .launching: return
        case .created:
            set(.created, of: id)
            kind = .created
        case .running(let pid, let startTime, let startedAt):
            set(.running(ProcessIdentity(pid: pid, startTime: startTime), startedAt: startedAt), of: id)
            kind = .started
        case .exited, .executionStarted, .executionFailed, .executionExited: return
        }
        publish.yield(RuntimeEvent(containerID: id, metadata: entry.status.metadata, kind: kind))
    }

    /// A monitor that goes without a record was killed. Its container must not live on unwatched: nobody would know its end.
    private func monitorClosed(_ id: String) async {
        guard let entry = containersByID[id], entry.status.exitRecord == nil else { return }
        let (configuration, config) = (configuration, entry.status.config)
        let record = await pool.run { ContainerRecovery.endOfLostMonitor(id, config, configuration) }
        if let remains = finish(id, record) { await clearUp(remains) }
    }

    /// What an ended container leaves for ``clearUp(_:)``.
    private struct Remains: Sendable {
        let id: String
        let monitorPID: pid_t?
        let cgroupPath: String
    }

    /// Only this process knows the plan: after a restart the words of a launch failure come from the file. It is there before
    /// anybody learns of the end, who may remove the directory.
    private func keepFailure(_ id: String, _ record: ExitRecord) async {
        guard record.failure != nil, containersByID[id] != nil else { return }
        let message = launchError(record, id).message
        let path = configuration.runDirectory(of: id) + "/failure"
        _ = await pool.run { try? FileSystem.writeAtomically(path, Array(message.utf8), durable: false) }
    }

    /// The container has ended: its waiters learn. Nothing is waited for, so that events keep their order.
    private func finish(_ id: String, _ record: ExitRecord) -> Remains? {
        guard var entry = containersByID[id], entry.status.exitRecord == nil else { return nil }
        entry.connection?.stop()
        entry.connection = nil
        // Those that were begun after the monitor's last word, which nobody will tell of any more.
        executions.abandonAll(in: id)
        if record.failure != nil { entry.status.failureMessage = launchError(record, id).message }
        let remains = Remains(
            id: id, monitorPID: entry.monitorPID, cgroupPath: entry.status.config.cgroupPath)
        entry.monitorPID = nil
        containersByID[id] = entry
        set(.exited(record), of: id)
        publish.yield(RuntimeEvent(containerID: id, metadata: entry.status.metadata, kind: .exited))
        return remains
    }

    /// Reaps the monitor; the container's cgroup goes, the accounting with it.
    private func clearUp(_ remains: Remains) async {
        let cgroups = configuration.cgroups
        let failure = await pool.run { () -> KernelError? in
            if let pid = remains.monitorPID { _ = try? kernelCall("waitpid") { waitpid(pid, nil, 0) } }
            do throws(KernelError) { try cgroups.removeTree(remains.cgroupPath) } catch { return error }
            return nil
        }
        if let failure {
            logger.warning("cgroup not removed", metadata: ["container": "\(remains.id)", "error": "\(failure)"])
        }
    }

    /// What an ended container has written to its root goes; its record stays, for its status and its log.
    public func discardLayer(of id: String) async throws(RuntimeError) {
        guard let entry = containersByID[id], entry.status.exitRecord != nil, !entry.isRemoving else { return }
        let directory = configuration.layerDirectory(of: id)
        do throws(KernelError) {
            try await pool.run { () throws(KernelError) in try FileSystem.removeTree(directory) }
        } catch { throw RuntimeError(error) }
    }

    /// Where what a container writes to its root is on disk.
    public nonisolated func writableLayer(of id: String) -> String { configuration.layerDirectory(of: id) }

    private func set(_ state: ContainerInstanceState, of id: String) {
        containersByID[id]?.status.state = state
        let waiters = containersByID[id]?.waiters ?? []
        for waiter in waiters { waiter.yield(state) }
        if case .exited = state {
            for waiter in waiters { waiter.finish() }
            containersByID[id]?.waiters = []
        }
    }

    /// The first state that satisfies the predicate; nil when the container is gone or the task is cancelled.
    func waitForState(
        of id: String, _ predicate: @Sendable (ContainerInstanceState) -> Bool
    ) async -> ContainerInstanceState? {
        guard let state = containersByID[id]?.status.state else { return nil }
        if predicate(state) { return state }
        let (states, continuation) = AsyncStream<ContainerInstanceState>.makeStream()
        containersByID[id]?.waiters.append(continuation)
        for await state in states where predicate(state) {
            continuation.finish()
            return state
        }
        return nil
    }

    /// The end of a container; nil when it is removed before, or the task is cancelled.
    public func waitForExit(of id: String) async -> ExitRecord? {
        let state = await waitForState(of: id) { state in
            if case .exited = state { return true }
            return false
        }
        guard case .exited(let record)? = state else { return nil }
        return record
    }

    /// Whether a container has ended, as the kernel and its directory have it: the news may still be on its way here.
    public func hasEnded(_ id: String) -> Bool {
        guard let entry = containersByID[id] else { return true }
        return entry.status.exitRecord != nil || FileSystem.exists(configuration.runDirectory(of: id) + "/exit")
    }

    private func waitForExit(of id: String, timeout: Duration) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                await self.waitForExit(of: id) != nil
            }
            group.addTask {
                try? await ContinuousClock().sleep(for: timeout)
                return false
            }
            let first = await group.next() ?? false
            group.cancelAll()
            return first
        }
    }

    private func remove(_ id: String) async {
        guard let entry = containersByID[id], !entry.isRemoving else { return }
        containersByID[id]?.isRemoving = true
        let (configuration, config) = (configuration, entry.status.config)
        let failure = await pool.run { () -> KernelError? in
            do throws(KernelError) {
                try configuration.cgroups.removeTree(config.cgroupPath)
                try FileSystem.removeTree(configuration.layerDirectory(of: id))
                // Last: while the record exists the next start of the agent finishes this removal.
                try FileSystem.removeTree(configuration.runDirectory(of: id))
            } catch { return error }
            return nil
        }
        if let failure {
            logger.warning("container not fully removed", metadata: ["container": "\(id)", "error": "\(failure)"])
            containersByID[id]?.isRemoving = false
        } else {
            forget(id)
            releaseIDs(ofPod: config.metadata.podUID)
        }
    }
}
