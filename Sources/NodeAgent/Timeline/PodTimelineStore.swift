public import KubernetesAPI
import LinuxKernel
public import Logging
import Synchronization
import SystemPackage

/// The timelines of a node's pods: in memory, and in each pod's directory so that they outlive the agent and the machine's reboot.
///
/// Recording never waits and never fails. ``run()`` does the reading and writing; a disk that is full or broken costs lines on
/// disk, nothing else, and the file is made whole by a later write.
public final class PodTimelineStore: Sendable {
    /// Pods that are gone and still remembered.
    public static let goneLimit = 50

    /// A pod that is no more.
    public struct Gone: Sendable {
        public var pod: PodTimelineName
        public var goneAt: Timestamp
        public var entries: [PodTimelineEntry]
    }

    private struct Record {
        var pod: PodTimelineName
        var timeline = PodTimeline()
        var isDeleting = false
        /// What the file lacks.
        var pending: [PodTimelineEntry] = []
        var isLoaded = false
        var fileBytes = 0
        /// The file's end is unknown, or lines were dropped.
        var needsRewrite = false
        /// Containers that wait: when each is tried again, of this process's uptime.
        var nextTries: [String: Duration] = [:]
    }

    private struct State {
        var records: [String: Record] = [:]
        var gone: [Gone] = []
        var dirty: [String] = []
        /// Whose file is being read or written, and who waits for that to end.
        var busy: [String: [CheckedContinuation<Void, Never>]] = [:]
        var hasToldOfFailure = false
    }

    private let podsDirectory: String?
    private let boot: String
    private let startedAt: Timestamp
    private let uptime: MonotonicTime
    private let wallClock: @Sendable () -> Timestamp
    private let logger: Logger
    private let state = Mutex(State())
    private let wakeUps: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation

    /// - Parameters:
    ///   - podsDirectory: holds one directory per pod UID, which others make and remove; nil keeps everything in memory only.
    ///   - boot: tells one boot of the machine from another: the kernel's `boot_id`.
    public init(
        podsDirectory: String?, boot: String = PodTimelineStore.currentBoot(),
        clock: some Clock<Duration> = ContinuousClock(), wallClock: @escaping @Sendable () -> Timestamp = { .now() },
        logger: Logger
    ) {
        self.podsDirectory = podsDirectory
        self.boot = boot
        self.wallClock = wallClock
        self.logger = logger
        startedAt = wallClock()
        uptime = MonotonicTime(clock)
        // One pending wake-up is enough: a pass writes everything.
        (wakeUps, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// The kernel's name for this boot; empty when it has none.
    public static func currentBoot() -> String {
        let text = (try? FileSystem.readText("/proc/sys/kernel/random/boot_id")) ?? ""
        return String(text.prefix { $0 != "\n" })
    }

    // MARK: What others tell

    /// A worker begins to care for the pod. What is told of other pods is not kept.
    public func begin(_ pod: Pod) {
        guard let uid = pod.metadata.uid, PodPlaces.isSafe(uid: uid) else { return }
        state.withLock { state in
            guard state.records[uid] == nil else { return }
            var record = Record(
                pod: PodTimelineName(
                    namespace: pod.metadata.namespace ?? "", name: pod.metadata.name ?? "", uid: uid))
            if let index = state.gone.firstIndex(where: { $0.pod.uid == uid }) {
                // A manifest that has come back: its story goes on, in a directory that is made anew.
                for entry in state.gone.remove(at: index).entries { record.timeline.add(entry) }
                record.isLoaded = true
                record.needsRewrite = true
            }
            state.records[uid] = record
            Self.markDirty(uid, &state)
        }
        wake.yield()
    }

    /// An event about a pod, as it is told to the API.
    public func record(_ object: ObjectReference, type: EventType, reason: String, message: String) {
        guard object.kind == "Pod", let uid = object.uid else { return }
        let container = object.fieldPath.flatMap(Self.container)
        let isStart = reason == PodTimelineEntry.containerStarted && container != nil
        add(
            [
                PodTimelineEntry(
                    isStart ? .started : .event, reason: reason, message: isStart ? "" : message,
                    container: container, isWarning: type == .warning, at: wallClock())
            ], to: uid)
    }

    /// A new status of a pod.
    ///
    /// - Parameter nextTries: how long it is until each waiting container is tried again.
    public func record(
        _ pod: Pod, from old: PodStatus?, to new: PodStatus, nextTries: [String: Duration] = [:]
    ) {
        guard let uid = pod.metadata.uid else { return }
        let now = wallClock()
        var entries = PodStatusChanges.entries(from: old, to: new, now: now)
        let elapsed = uptime.elapsed
        state.withLock { state in
            state.records[uid]?.nextTries = nextTries.mapValues { elapsed + $0 }
            state.records[uid]?.isDeleting = pod.isTerminating
        }
        if pod.isTerminating {
            let grace = pod.metadata.deletionGracePeriodSeconds.map { "with \($0) s of grace" } ?? ""
            entries.insert(
                PodTimelineEntry(.pod, reason: PodTimelineEntry.deleting, message: grace, at: now), at: 0)
        }
        add(entries, to: uid)
    }

    /// Every pod of the node is about to be ended at somebody's wish.
    public func nodeStops() {
        let entry = PodTimelineEntry(
            .agent, reason: PodTimelineEntry.nodeStopped, message: "swiftlet stop --all ends every pod of this node",
            instance: boot, at: wallClock())
        for uid in state.withLock({ Array($0.records.keys) }) { add([entry], to: uid) }
    }

    /// The pod is gone. To be called before its directory is removed; on return nothing more is written there.
    public func end(_ uid: String) async {
        _ = await entries(of: uid)
        state.withLock { state in
            guard let record = state.records.removeValue(forKey: uid) else { return }
            state.dirty.removeAll { $0 == uid }
            state.gone.append(
                Gone(pod: record.pod, goneAt: wallClock(), entries: record.timeline.entries))
            if state.gone.count > Self.goneLimit { state.gone.removeFirst() }
        }
        await untilIdle(uid)
    }

    // MARK: What others ask

    /// A pod's timeline, oldest first; what earlier agents wrote is read by then.
    public func entries(of uid: String) async -> [PodTimelineEntry] {
        while state.withLock({ $0.records[uid].map { !$0.isLoaded } ?? false }) {
            if !(await work(on: uid)) { break }
        }
        return state.withLock { $0.records[uid]?.timeline.entries ?? [] }
    }

    /// The newest of the pods of that name that are gone.
    public func gone(namespace: String, name: String) -> Gone? {
        state.withLock { state in state.gone.last { $0.pod.namespace == namespace && $0.pod.name == name } }
    }

    /// The pods that are gone and remembered, oldest first.
    public var gone: [PodTimelineName] { state.withLock { $0.gone.map(\.pod) } }

    /// How long until each waiting container of a pod is tried again.
    public func nextTries(of uid: String) -> [String: Duration] {
        let now = uptime.elapsed
        return state.withLock { state in
            state.records[uid]?.nextTries.mapValues { max(.zero, $0 - now) } ?? [:]
        }
    }

    // MARK: Reading and writing

    /// Reads and writes until cancelled, and at the end writes what is left.
    public func run() async {
        for await _ in wakeUps { await flush() }
        await flush()
    }

    /// Once it returns, everything told before is on disk, or could not be written.
    func flush() async {
        while let uid = state.withLock({ $0.dirty.isEmpty ? nil : $0.dirty.removeFirst() }) {
            _ = await work(on: uid)
        }
    }

    private func add(_ entries: [PodTimelineEntry], to uid: String) {
        guard !entries.isEmpty else { return }
        let isNew = state.withLock { state -> Bool in
            guard var record = state.records[uid] else { return false }
            let kept = entries.compactMap { record.timeline.add($0, isDeleting: record.isDeleting) }
            record.pending += kept
            if record.pending.count > PodTimeline.limit {
                record.pending = []
                record.needsRewrite = true
            }
            state.records[uid] = record
            guard !kept.isEmpty else { return false }
            Self.markDirty(uid, &state)
            return true
        }
        if isNew { wake.yield() }
    }

    private static func markDirty(_ uid: String, _ state: inout State) {
        if !state.dirty.contains(uid) { state.dirty.append(uid) }
    }

    /// `spec.containers{web}` → `web`.
    private static func container(_ fieldPath: String) -> String? {
        guard fieldPath.last == "}", let start = fieldPath.firstIndex(of: "{") else { return nil }
        return String(fieldPath[fieldPath.index(after: start)...].dropLast())
    }

    /// What is to be done to one file.
    private enum Job: Sendable {
        case read
        case append([PodTimelineEntry], header: JSONValue?)
        case rewrite([PodTimelineEntry], header: JSONValue)
    }

    /// Reads the file if that was not done yet, then writes what it lacks. False when the pod is unknown.
    private func work(on uid: String) async -> Bool {
        while !state.withLock({ state in
            let isFree = state.busy[uid] == nil
            if isFree { state.busy[uid] = [] }
            return isFree
        }) { await untilIdle(uid) }
        let isKnown = state.withLock { $0.records[uid] != nil }
        // At most twice: what the file says, then what it lacks.
        for _ in 0..<2 {
            guard let job = state.withLock({ Self.nextJob(uid, &$0, boot: boot) }) else { break }
            await carryOut(job, on: uid)
        }
        let waiting = state.withLock { $0.busy.removeValue(forKey: uid) } ?? []
        for continuation in waiting { continuation.resume() }
        return isKnown
    }

    private func untilIdle(_ uid: String) async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                guard state.busy[uid] != nil else { return true }
                state.busy[uid]?.append(continuation)
                return false
            }
            if isIdle { continuation.resume() }
        }
    }

    /// What the job writes is pending no more; a failure puts it back.
    private static func nextJob(_ uid: String, _ state: inout State, boot: String) -> Job? {
        guard let record = state.records[uid] else { return nil }
        if !record.isLoaded { return .read }
        let header = PodTimelineFile.header(of: record.pod, boot: boot)
        if record.needsRewrite || (record.fileBytes > PodTimelineFile.rewriteSize && !record.pending.isEmpty) {
            state.records[uid]?.pending = []
            state.records[uid]?.needsRewrite = false
            return .rewrite(record.timeline.entries, header: header)
        }
        if record.pending.isEmpty { return nil }
        state.records[uid]?.pending = []
        return .append(record.pending, header: record.fileBytes == 0 ? header : nil)
    }

    private func carryOut(_ job: Job, on uid: String) async {
        guard let podsDirectory else {
            switch job {
            case .read: took(.success(PodTimelineFile.Contents()), of: uid)
            case .append(let entries, _): wrote(.success(0), of: uid, appended: entries)
            case .rewrite: wrote(.success(0), of: uid, appended: nil)
            }
            return
        }
        let file = PodTimelineFile(directory: podsDirectory + "/" + uid)
        switch job {
        case .read:
            let result = await KernelThreadPool.shared.run { Result { () throws(KernelError) in try file.read() } }
            took(result, of: uid)
        case .append(let entries, let header):
            let result = await KernelThreadPool.shared.run {
                Result { () throws(KernelError) in try file.append(entries, header: header) }
            }
            wrote(result, of: uid, appended: entries)
        case .rewrite(let entries, let header):
            let result = await KernelThreadPool.shared.run {
                Result { () throws(KernelError) in try file.rewrite(entries, header: header) }
            }
            wrote(result, of: uid, appended: nil)
        }
    }

    /// Puts what the file says before what was told since.
    private func took(_ result: Result<PodTimelineFile.Contents, KernelError>, of uid: String) {
        let setAside = state.withLock { state -> String? in
            guard var record = state.records[uid] else { return nil }
            record.isLoaded = true
            switch result {
            case .failure:
                // What is there may be whole, and readable another time: only added to.
                record.fileBytes = 1
            case .success(let contents):
                record.fileBytes = contents.bytes
                record.needsRewrite = record.needsRewrite || contents.isDamaged
                guard !contents.entries.isEmpty else { break }
                var timeline = PodTimeline()
                for entry in contents.entries { timeline.add(entry) }
                let adoption = self.adoption(after: contents)
                timeline.add(adoption)
                for entry in record.timeline.entries { timeline.add(entry, isDeleting: record.isDeleting) }
                record.timeline = timeline
                record.pending.insert(adoption, at: 0)
            }
            state.records[uid] = record
            return try? result.get().setAside
        }
        if let setAside { logger.warning("damaged pod timeline set aside", metadata: ["file": "\(setAside)"]) }
        if case .failure(let error) = result { tell(error, uid) }
    }

    private func adoption(after contents: PodTimelineFile.Contents) -> PodTimelineEntry {
        let last = contents.entries.last { $0.kind == .agent }?.instance ?? contents.boot
        let isSameBoot = last == boot
        return PodTimelineEntry(
            .agent, reason: isSameBoot ? PodTimelineEntry.agentStarted : PodTimelineEntry.machineStarted,
            message: isSameBoot
                ? "swiftlet was started again and found the pod" : "the machine was started again, and swiftlet",
            instance: boot, at: startedAt)
    }

    /// - Parameter appended: the entries of an append; nil when all that is remembered was written.
    private func wrote(
        _ result: Result<Int, KernelError>, of uid: String, appended: [PodTimelineEntry]?
    ) {
        state.withLock { state in
            guard var record = state.records[uid] else { return }
            switch result {
            case .success(let bytes): record.fileBytes = appended == nil ? bytes : record.fileBytes + bytes
            case .failure(let error):
                // All of it is still in memory: the next thing that happens brings the next try.
                if let appended, error.errno == .noSuchFileOrDirectory {
                    record.pending.insert(contentsOf: appended, at: 0)
                } else {
                    record.needsRewrite = true
                }
            }
            state.records[uid] = record
        }
        if case .failure(let error) = result { tell(error, uid) }
    }

    /// Once: a full disk is told by others, too. A directory that is not there yet, or no more, is no failure.
    private func tell(_ error: KernelError, _ uid: String) {
        guard error.errno != .noSuchFileOrDirectory else { return }
        let isFirst = state.withLock { state in
            defer { state.hasToldOfFailure = true }
            return !state.hasToldOfFailure
        }
        if isFirst { logger.warning("pod timelines not kept", metadata: ["error": "\(error)", "uid": "\(uid)"]) }
    }
}
