public import KubernetesAPI
import KubernetesClient
public import LinuxKernel
public import Logging

/// The cgroups above the pods: `kubepods` with what all pods together may use, and the classes below it, whose share of
/// the CPU follows the pods.
public actor CgroupTree {
    /// How long after a failure the node's limits are tried again.
    private static let retryInterval = Duration.seconds(60)

    private let cgroups: CgroupManager
    private let policy: ResourcePolicy
    private let limits: CgroupResources
    private let tell: @Sendable (_ type: EventType, _ reason: String, _ message: String) -> Void
    private let logger: Logger
    private let clock: any Clock<Duration>
    private var applied: CgroupTreePlan.Classes?

    /// - Parameters:
    ///   - enforcesAllocatable: whether all pods together are held to what is not set aside.
    ///   - processes: how many the kernel can have; nil sets no limit.
    ///   - tell: records an event of the node.
    public init(
        cgroups: CgroupManager, policy: ResourcePolicy, capacity: [String: Quantity], processes: Int64?,
        reservation: NodeReservation, enforcesAllocatable: Bool = true,
        tell: @escaping @Sendable (_ type: EventType, _ reason: String, _ message: String) -> Void, logger: Logger,
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.cgroups = cgroups
        self.policy = policy
        limits =
            enforcesAllocatable
            ? CgroupTreePlan.kubepods(capacity: capacity, processes: processes, reservation: reservation)
            : CgroupResources()
        self.tell = tell
        self.logger = logger
        self.clock = clock
    }

    /// Sets the node's limits, and gives the classes what is due to them whenever the pods on the node have changed, until
    /// cancelled.
    public func run(following allocations: PodAllocations) async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.enforce() }
            await update(for: [])
            for await _ in allocations.changes { await update(for: await allocations.pods) }
        }
    }

    /// Until it has succeeded, again every minute.
    private func enforce() async {
        while !Task.isCancelled {
            let limits = limits
            do {
                try await KernelThreadPool.shared.run { [cgroups] () throws(KernelError) in
                    try Self.establish(limits, in: cgroups)
                }
                tell(.normal, "NodeAllocatableEnforced", "Updated Node Allocatable limit across pods")
                return
            } catch {
                logger.warning("node allocatable not enforced, trying again", metadata: ["error": "\(error)"])
                tell(
                    .warning, "FailedNodeAllocatableEnforcement",
                    "Failed to update Node Allocatable Limits \"kubepods\": \(error)")
            }
            try? await clock.sleep(for: Self.retryInterval, tolerance: nil)
        }
    }

    private static func establish(_ limits: CgroupResources, in cgroups: CgroupManager) throws(KernelError) {
        try cgroups.createIfNeeded("kubepods")
        if let limit = limits.memoryLimitBytes { try cgroups.refuseBelowUsage(memoryLimitBytes: limit, "kubepods") }
        try cgroups.apply(limits, to: "kubepods")
        for path in ["kubepods/burstable", "kubepods/besteffort"] { try cgroups.createIfNeeded(path) }
    }

    private func update(for pods: [Pod]) async {
        let wanted = CgroupTreePlan.classes(of: pods, policy: policy)
        guard wanted != applied else { return }
        applied = wanted
        let failure = await KernelThreadPool.shared.run { [cgroups] in Self.apply(wanted, in: cgroups) }
        if let failure { logger.warning("cgroups of the classes not updated", metadata: ["error": "\(failure)"]) }
    }

    private static func apply(_ classes: CgroupTreePlan.Classes, in cgroups: CgroupManager) -> KernelError? {
        do throws(KernelError) {
            for path in ["kubepods/burstable", "kubepods/besteffort"] { try cgroups.createIfNeeded(path) }
            if let above = classes.kubepods { try cgroups.apply(above, to: "kubepods") }
            try cgroups.apply(classes.burstable, to: "kubepods/burstable")
            try cgroups.apply(classes.bestEffort, to: "kubepods/besteffort")
            return nil
        } catch { return error }
    }
}
