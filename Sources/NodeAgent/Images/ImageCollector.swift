public import ContainerImages
import Glibc
public import KubernetesAPI
public import KubernetesClient
import LinuxKernel
public import Logging

/// Removes images nobody needs: when the disk fills, when they have not been used for long, or when somebody asks for it.
///
/// It looks when an image has come and every five minutes. Nothing is removed before every source of pods has told of its pods.
public actor ImageCollector {
    /// What one round has done.
    public struct Report: Hashable, Sendable {
        public var removed: [StoredImage] = []
        public var freedBytes: Int64 = 0
        /// Why not enough was freed.
        public var problem: String?
    }

    /// What it works with.
    public struct Parts: Sendable {
        public var images: ImageManager
        /// What the node's pods need; nil as long as that is not known.
        public var needs: @Sendable () async -> ImageNeeds?
        public var events: EventRecorder
        /// The node, for events about it.
        public var node: @Sendable () -> ObjectReference

        public init(
            images: ImageManager, needs: @escaping @Sendable () async -> ImageNeeds?, events: EventRecorder,
            node: @escaping @Sendable () -> ObjectReference
        ) {
            self.images = images
            self.needs = needs
            self.events = events
            self.node = node
        }
    }

    private let policy: ImageCollectionPolicy
    private let parts: Parts
    private let directory: String
    private let clock: any Clock<Duration>
    private let logger: Logger
    private let wake = WakeSignal()
    private var failures = 0

    /// kubelet's.
    static let interval = Duration.seconds(300)
    /// Several images that come together are looked at once.
    private static let settling = Duration.milliseconds(500)
    /// Until the sources of pods have spoken.
    private static let unknownInterval = Duration.seconds(5)

    /// - Parameter directory: on the file system with the images.
    public init(
        _ policy: ImageCollectionPolicy, directory: String, parts: Parts,
        clock: any Clock<Duration> = ContinuousClock(),
        logger: Logger
    ) {
        self.policy = policy
        self.directory = directory
        self.parts = parts
        self.clock = clock
        self.logger = logger
    }

    /// Works until cancelled.
    public func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { for await _ in self.parts.images.additions { self.wake.signal() } }
            group.addTask { await self.work() }
        }
    }

    private func work() async {
        while !Task.isCancelled {
            let generation = wake.generation
            await wake.wait(after: generation, atMost: await round(), clock: clock)
            if wake.generation != generation { try? await clock.sleep(for: Self.settling, tolerance: nil) }
        }
    }

    /// One look, and what has to be done; gives how long to wait for the next.
    private func round() async -> Duration {
        do throws(ImageError) { try await parts.images.sealLayers() } catch {
            logger.warning("layers not sealed", metadata: ["error": "\(error)"])
        }
        guard let plan = await plan() else { return Self.unknownInterval }
        let report = await carryOut(plan)
        if let problem = report.problem {
            failures += 1
            // Once may be for an image that is about to be old enough.
            if failures > 1 {
                tell("ImageGCFailed", "Image garbage collection failed multiple times in a row: \(problem)")
            }
            return plan.young > 0 ? min(Self.interval, max(policy.minimumAge, .seconds(1))) : Self.interval
        }
        failures = 0
        return Self.interval
    }

    // MARK: For others

    /// What a look every five minutes does, at once.
    public func collect() async -> Report {
        guard let plan = await plan() else { return Report(problem: Self.unknownPods) }
        return await carryOut(plan)
    }

    /// Removes every image that may go, however much space is left.
    public func prune() async -> Report {
        guard let plan = await plan(withYoung: true) else { return Report(problem: Self.unknownPods) }
        return await remove(plan.expired + plan.spare) { false }
    }

    /// Removes images until `isEnough`; what has come a moment ago stays.
    func reclaim(until isEnough: @Sendable () async -> Bool) async {
        guard let plan = await plan() else { return }
        _ = await remove(plan.expired + plan.spare, until: isEnough)
    }

    private static let unknownPods = "the pods of this node are not known yet: try again in a moment"

    // MARK: Work

    private func plan(withYoung: Bool = false) async -> ImageCollectionPlan? {
        guard let needs = await parts.needs() else { return nil }
        var policy = policy
        if withYoung { policy.minimumAge = .zero }
        let now = Timestamp.now().seconds
        do throws(ImageError) {
            let candidates = try await parts.images.collectionCandidates(needs: needs, now: now)
            return ImageCollectionPlan(candidates, policy: policy, now: now)
        } catch {
            logger.warning("images not collected", metadata: ["error": "\(error)"])
            return nil
        }
    }

    private func carryOut(_ plan: ImageCollectionPlan) async -> Report {
        var report = await remove(plan.expired) { false }
        guard let disk = await disk() else { return report }
        guard disk.capacityBytes > 0 else {
            tell("InvalidDiskCapacity", "invalid capacity 0 on image filesystem")
            report.problem = "invalid capacity 0 on image filesystem"
            return report
        }
        let wanted = ImageCollectionPlan.bytesToFree(on: disk, policy: policy)
        guard wanted > 0 else { return report }
        logger.info("disk fills, removing images", metadata: ["bytes": "\(wanted)"])
        let low = policy.lowThresholdPercent
        let second = await remove(plan.spare) { await self.isBelow(low) }
        report.removed += second.removed
        report.freedBytes += second.freedBytes
        guard await !isBelow(low) else { return report }
        let problem =
            "Failed to garbage collect required amount of images. Attempted to free \(wanted) bytes, "
            + "but only found \(second.freedBytes) bytes eligible to free."
        tell("FreeDiskSpaceFailed", problem)
        report.problem = problem
        return report
    }

    private func isBelow(_ percent: Int) async -> Bool {
        guard let disk = await disk() else { return true }
        var policy = policy
        policy.highThresholdPercent = percent + 1
        return ImageCollectionPlan.bytesToFree(on: disk, policy: policy) == 0
    }

    private func remove(_ ids: [String], until isEnough: @Sendable () async -> Bool) async -> Report {
        var report = Report()
        let before = await disk()
        for id in ids where !Task.isCancelled {
            if await isEnough() { break }
            let image = await parts.images.resolve(id)
            do throws(ImageError) {
                guard try await parts.images.collect(id, needs: parts.needs), let image else { continue }
                logger.info("image removed", metadata: ["image": "\(image.names.first ?? id)"])
                report.removed.append(image)
            } catch {
                logger.warning("image not removed", metadata: ["image": "\(id)", "error": "\(error)"])
            }
        }
        if !report.removed.isEmpty, let before, let after = await disk() {
            report.freedBytes = max(0, after.availableBytes - before.availableBytes)
        }
        return report
    }

    private func disk() async -> ImageCollectionPlan.Disk? {
        let directory = directory
        return await KernelThreadPool.shared.run {
            var status = statvfs()
            guard statvfs(directory, &status) == 0 else { return nil }
            func bytes(_ blocks: UInt64) -> Int64 {
                let (bytes, overflow) = blocks.multipliedReportingOverflow(by: UInt64(status.f_frsize))
                return overflow ? .max : Int64(clamping: bytes)
            }
            return ImageCollectionPlan.Disk(
                capacityBytes: bytes(UInt64(status.f_blocks)), availableBytes: bytes(UInt64(status.f_bavail)))
        }
    }

    private func tell(_ reason: String, _ message: String) {
        logger.warning("images not collected", metadata: ["reason": "\(reason)", "message": "\(message)"])
        parts.events.record(parts.node(), type: .warning, reason: reason, message: message)
    }
}
