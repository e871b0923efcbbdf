public import KubernetesAPI

/// Keeps account of what the node has promised to its pods, and decides about changes in order of their rank.
///
/// It holds no truth: what was promised is kept with each container, and told here again by the pods' workers after a
/// restart of the agent.
public actor PodAllocations {
    private var table: AllocationTable
    private let allocatable: @Sendable () -> [String: Quantity]
    /// The pods, or what they have, are others. For one consumer.
    public nonisolated let changes: AsyncStream<Void>
    private let change: AsyncStream<Void>.Continuation
    /// UIDs of pods that wait for resources and are told something new. For one consumer.
    nonisolated let wakes: AsyncStream<String>
    private let wake: AsyncStream<String>.Continuation

    /// - Parameter allocatable: what pods may use of the node now; a resource that is not in it is not limited.
    public init(
        policy: ResourcePolicy = ResourcePolicy(),
        allocatable: @escaping @Sendable () -> [String: Quantity] = { [:] }
    ) {
        table = AllocationTable(policy: policy)
        self.allocatable = allocatable
        (changes, change) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        (wakes, wake) = AsyncStream.makeStream()
    }

    /// Every pod on the node with the resources it was promised.
    public var pods: [Pod] { table.pods }

    func add(_ pod: Pod) {
        table.add(pod)
        change.yield()
    }

    func remove(_ uid: String) {
        guard table.remove(uid) else { return }
        change.yield()
        serve()
    }

    /// Every pod that was on the node when the agent started has been added.
    func open() {
        table.open()
        serve()
    }

    func withdraw(_ uid: String) { table.withdraw(uid) }

    /// Asks for other resources for a pod that runs.
    func resize(to desired: Pod) -> ResizeVerdict {
        let verdict = table.request(desired, allocatable: allocatable())
        if verdict == .granted {
            change.yield()
            // What it gave up may be what another one waits for.
            serve()
        }
        return verdict
    }

    private func serve() {
        for uid in table.review(allocatable: allocatable()) { wake.yield(uid) }
    }
}
