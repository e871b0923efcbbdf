public import KubernetesAPI
public import Probes

/// What a pod worker does to its node: the one way from the pods' logic to the kernel, the disk and the network.
///
/// ``LocalPodHost`` is the real one; the simulation brings a world of its own. Every call is safe to repeat after a crash at any
/// point of it, and none keeps a promise in memory that a restart of the agent would break.
public protocol PodHost: ProbeExecution {
    /// UIDs of pods of which something has changed. For one consumer.
    var changes: AsyncStream<String> { get }

    /// Whether anything exists of a pod. Never waits, unlike ``observe(_:)``.
    func knows(_ uid: String) async -> Bool

    /// What an agent has allocated to each container that exists of a pod, by name. Never waits either.
    func allocations(of uid: String) async -> [String: ResourceRequirements]

    /// Everything that exists of a pod now. After a restart of the agent it may have to wait until that is known.
    func observe(_ uid: String) async -> PodObservation

    /// Attempts used before the runtime's records begin, by container: at least one more comes next.
    func attemptsUsed(by pod: Pod) async -> [String: UInt32]

    /// Pods of which something runs, or is still mounted: as much of their metadata as is known, with the source's annotation and
    /// the grace period when a container of them tells it.
    func remnants() async -> [Pod]

    /// Gives up what belongs to no sandbox any more. Called once, after the orphans have been taken over.
    func discardUnused() async

    // MARK: Life of a pod

    /// The pod's directory, cgroup, namespaces and network. On failure nothing of it is left.
    func createSandbox(for pod: Pod, attempt: UInt32) async throws(PodHostError)

    /// Every volume a container of the pod mounts.
    func mountVolumes(of pod: Pod) async throws(PodHostError)

    /// Whether what kept the pod's volumes from being mounted may be gone: something of it has changed since.
    func hasVolumeNews(of pod: Pod) async -> Bool

    /// Brings files from objects, the pod and its service account up to date, if they may be older than these. Cheap when they are
    /// not: to be called at every look at a running pod.
    ///
    /// - Returns: when to call again though nothing has changed; nil never.
    func refreshVolumes(of pod: Pod) async throws(PodHostError) -> Duration?

    /// Once no container runs: network, namespaces, volumes and cgroup go; records and logs stay.
    func release(_ pod: Pod) async throws(PodHostError)

    /// Keeps what was decided on the end of a pod until ``forget(_:)``, for an agent after this one.
    func remember(_ failure: PodRejection, of pod: Pod) async

    /// What was to be remembered of a pod; nil when there is nothing.
    func remembered(of uid: String) async -> PodRejection?

    /// After ``release(_:)``: records, logs and directories go too.
    func forget(_ pod: Pod) async throws(PodHostError)

    // MARK: Life of a container

    /// Whether the container can have its image as it is on the node, or only after ``pullImage(of:in:)``.
    ///
    /// - Throws: when its name or its pull policy lets it have neither.
    func findImage(of container: Container, in pod: Pod) async throws(PodHostError) -> ImageNeed

    /// Gets the container's image from its registry. Ends early, and then with an error, when its task is cancelled.
    func pullImage(of container: Container, in pod: Pod) async throws(PodHostError)

    /// Images that have to be on the node before ``mountVolumes(of:)`` can mount them; none once it has.
    func pendingImageVolumes(of pod: Pod) async -> [ImageVolumeSource]

    /// Makes one attempt of a container, blocked before its first instruction.
    ///
    /// - Returns: the identifier of the instance.
    func createContainer(_ container: Container, of pod: Pod, attempt: UInt32) async throws(PodHostError) -> String

    /// Lets a created container run. Returns when its program does.
    func startContainer(_ id: String) async throws(PodHostError)

    /// Stop signal, wait, kill of all that is left. Returns when it has ended, or at once when cancelled: a later call goes on from there.
    func stopContainer(_ id: String, gracePeriod: Duration) async

    /// Keeps with a container how far its postStart hook has come, for an agent after this one; nil when it has ended well.
    func recordPostStart(_ state: PostStartState?, of id: String) async

    /// Removes an ended instance; its log stays.
    func removeContainer(_ id: String) async

    // MARK: Resources

    /// Keeps with the pod's running containers what the node has promised them, for an agent after this one.
    func allocate(_ pod: Pod) async

    /// Gives the running containers what they are promised, without ending any of them, and keeps with them that they have it.
    func resize(_ pod: Pod, _ observation: PodObservation) async throws(PodHostError)
}

extension PodHost {
    public func remember(_ failure: PodRejection, of pod: Pod) async {}

    public func remembered(of uid: String) async -> PodRejection? { nil }

    public func hasVolumeNews(of pod: Pod) async -> Bool { false }

    public func pendingImageVolumes(of pod: Pod) async -> [ImageVolumeSource] { [] }

    public func allocate(_ pod: Pod) async {}

    public func resize(_ pod: Pod, _ observation: PodObservation) async throws(PodHostError) {}
}

/// Why the node could not do its part for a pod: a reason of the API and one line that people understand.
public struct PodHostError: Error, Hashable, Sendable, CustomStringConvertible {
    /// As in a container's waiting state: `CreateContainerConfigError`, `ErrImagePull`, …
    public var reason: String
    public var message: String

    public init(reason: String, message: String) {
        self.reason = reason
        self.message = message
    }

    public var description: String { message }
}
