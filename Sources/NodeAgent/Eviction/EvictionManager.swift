public import KubernetesAPI
public import KubernetesClient
import LinuxKernel
public import Logging

/// Keeps the node alive when its pods use it up: shows the conditions, frees what nobody needs, and evicts one pod at a time until
/// enough is left.
///
/// It looks when the kernel tells of short memory, and every 10 s at what nothing tells of: free disk space and process ids. What pods
/// use is read only when one of them has to go, or when it has limits that only the node can watch.
public actor EvictionManager {
    /// What it works with.
    public struct Parts: Sendable {
        public var host: LocalPodHost
        public var pressures: NodePressures
        public var meter: EphemeralStorageMeter
        public var images: ImageCollector
        public var events: EventRecorder
        /// The node, for events about it.
        public var node: @Sendable () -> ObjectReference
        /// The conditions have changed.
        public var onChange: @Sendable (Set<PodAdmission.Pressure>) -> Void

        public init(
            host: LocalPodHost, pressures: NodePressures, meter: EphemeralStorageMeter, images: ImageCollector,
            events: EventRecorder, node: @escaping @Sendable () -> ObjectReference,
            onChange: @escaping @Sendable (Set<PodAdmission.Pressure>) -> Void
        ) {
            self.host = host
            self.pressures = pressures
            self.meter = meter
            self.images = images
            self.events = events
            self.node = node
            self.onChange = onChange
        }
    }

    let parts: Parts
    let configuration: EvictionConfiguration
    let agent: NodeAgent
    let clock: any Clock<Duration>
    let logger: Logger
    private let space: NodeSpace
    private let signals: Set<EvictionSignal>
    private let uptime: MonotonicTime
    private let wake = WakeSignal()
    private var hasLooked = false
    private var decision: EvictionDecision
    private var memoryEvents: MemoryEvents?
    /// Evicted, and not yet gone; and until when that is waited for.
    private var leaving: (uid: String, until: Duration)?

    /// How often is looked at what the kernel does not tell of.
    static let interval = Duration.seconds(10)
    /// While a pod that was evicted is on its way out.
    private static let leavingInterval = Duration.milliseconds(500)
    private static let leavingLimit = Duration.seconds(30)
    /// Between two looks that the kernel asked for.
    private static let eventInterval = Duration.milliseconds(100)

    public init(
        _ configuration: EvictionConfiguration, agent: NodeAgent, parts: Parts,
        clock: any Clock<Duration> = ContinuousClock(), logger: Logger
    ) {
        self.configuration = configuration
        self.agent = agent
        self.parts = parts
        self.clock = clock
        self.logger = logger
        let host = parts.host.configuration
        space = NodeSpace(
            nodefsDirectory: host.rootDirectory, imagefsDirectory: host.rootDirectory + "/images",
            cgroups: host.cgroups, podsCgroup: PodPlaces.podsCgroup)
        signals = Set(configuration.thresholds.map(\.signal))
        uptime = MonotonicTime(clock)
        decision = EvictionDecision(configuration)
    }

    /// Works until cancelled.
    public func run() async {
        if signals.contains(.memoryAvailable) || signals.contains(.allocatableMemoryAvailable) { listen() }
        await withDiscardingTaskGroup { group in
            group.addTask { await self.watchNode() }
            group.addTask { await self.watchStorageLimits() }
        }
    }

    private func listen() {
        let wake = wake
        do throws(KernelError) {
            let events = try MemoryEvents { wake.signal() }
            memoryEvents = events
            if !events.hasStalls {
                logger.info("the kernel does not tell of stalls for memory: looked at every 10 s")
            }
        } catch {
            logger.warning("short memory is only seen every 10 s", metadata: ["error": "\(error)"])
        }
    }

    private func watchNode() async {
        while !Task.isCancelled {
            let generation = wake.generation
            let delay = await look()
            await wake.wait(after: generation, atMost: delay, clock: clock)
            if wake.generation != generation { try? await clock.sleep(for: Self.eventInterval, tolerance: nil) }
        }
    }

    // MARK: One look

    /// Looks at the node and acts. Gives how long to wait for the next look.
    private func look() async -> Duration {
        let observations = await observe()
        let outcome = decision.observe(observations, now: uptime.elapsed)
        tell(outcome)
        await followMemory(observations)
        if let leaving {
            if leaving.until > uptime.elapsed, await !agent.isReclaimed(leaving.uid) { return Self.leavingInterval }
            self.leaving = nil
        }
        guard let shortage = outcome.reclaim else { return Self.interval }
        let resource = shortage.threshold.signal.resource
        parts.events.record(
            parts.node(), type: .warning, reason: "EvictionThresholdMet", message: "Attempting to reclaim \(resource)")
        logger.warning(
            "too little is left, reclaiming",
            metadata: [
                "signal": "\(shortage.threshold.signal.rawValue)", "available": "\(shortage.observation.available)",
                "threshold": "\(shortage.threshold.quantity(of: shortage.observation))",
            ])
        if shortage.threshold.signal.pressure == .disk {
            await parts.host.discardEndedLayers()
            if decision.isReclaimed(await observe()) { return Self.interval }
            if await holdsImages(shortage.threshold.signal) {
                await parts.images.reclaim { await self.isReclaimed() }
                if await isReclaimed() { return Self.interval }
            }
        }
        guard await evictOne(for: shortage) else { return Self.interval }
        return Self.leavingInterval
    }

    private func isReclaimed() async -> Bool { decision.isReclaimed(await observe()) }

    /// Whether images are on the file system that a signal is about.
    private func holdsImages(_ signal: EvictionSignal) async -> Bool {
        switch signal {
        case .imagefsAvailable, .imagefsInodesFree: true
        case .nodefsAvailable, .nodefsInodesFree: await KernelThreadPool.shared.run { [space] in space.isShared }
        case .memoryAvailable, .allocatableMemoryAvailable, .pidAvailable: false
        }
    }

    private func observe() async -> [EvictionSignal: EvictionObservation] {
        let (space, signals) = (space, signals)
        return await KernelThreadPool.shared.run { space.observe(signals) }
    }

    /// The first look is told in any case: what an earlier agent left may be wrong by now.
    private func tell(_ outcome: EvictionDecision.Outcome) {
        let hasChanged = parts.pressures.update(outcome)
        if hasChanged || !hasLooked { parts.onChange(outcome.conditions) }
        hasLooked = true
    }

    /// On v1 the kernel tells when the pods have used up what is above the threshold now.
    private func followMemory(_ observations: [EvictionSignal: EvictionObservation]) async {
        let cgroups = parts.host.configuration.cgroups
        guard let memoryEvents,
            let threshold = configuration.thresholds.first(where: { $0.signal == .memoryAvailable }),
            let observation = observations[.memoryAvailable]
        else { return }
        let room = observation.available - threshold.value.amount(of: observation.capacity)
        guard room > 0 else { return }
        await KernelThreadPool.shared.run {
            guard let control = try? cgroups.oomEventControl(PodPlaces.podsCgroup),
                let used = (try? cgroups.usage(PodPlaces.podsCgroup))?.memoryUsageBytes
            else { return }
            let (sum, overflow) = Int64(clamping: used).addingReportingOverflow(room)
            memoryEvents.watchUsage(eventControl: control.eventControl, above: overflow ? .max : sum)
        }
    }

    /// Evicts the pod that comes first in the ranking; false when there is none.
    private func evictOne(for shortage: EvictionDecision.Shortage) async -> Bool {
        let threshold = shortage.threshold
        let ranked = EvictionRanking.order(await candidates(for: threshold.signal), for: threshold.signal)
        for candidate in ranked {
            let uid = candidate.pod.metadata.uid ?? ""
            var grace: Int64 = 1
            if !threshold.isHard {
                grace = configuration.maximumPodGracePeriodSeconds
                if let own = candidate.pod.spec.terminationGracePeriodSeconds { grace = min(grace, own) }
            }
            guard await agent.evict(uid, Eviction(candidate, for: shortage), graceSeconds: grace) else { continue }
            leaving = (uid, uptime.elapsed + Self.leavingLimit)
            return true
        }
        logger.warning("nothing to evict", metadata: ["signal": "\(threshold.signal.rawValue)"])
        return false
    }
}

extension EvictionThreshold {
    /// `nodefs.available<10%`.
    var description: String {
        let amount =
            switch value {
            case .quantity(let quantity): "\(quantity)"
            case .share(let share): "\(Self.percent(share))%"
            }
        return "\(signal.rawValue)<\(amount)"
    }

    private static func percent(_ share: Float) -> String {
        let percent = (share * 100_000).rounded() / 1000
        return percent == percent.rounded() ? String(Int(percent)) : "\(percent)"
    }
}
