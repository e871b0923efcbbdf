public import KubernetesAPI

/// One instance of a container as the runtime has it: of one attempt, in one sandbox.
public struct ContainerObservation: Hashable, Sendable {
    public enum State: Hashable, Sendable {
        case created
        case running(startedAt: Timestamp)
        case exited(ContainerStateTerminated)
    }

    public var id: String
    public var sandboxID: String
    public var name: String
    public var attempt: UInt32
    /// Of the definition it was made from: name and image only, as every other change leaves it running.
    public var definitionHash: String
    public var image: String
    public var imageID: String
    public var state: State
    /// As whom its first process was started; nil when not known.
    public var userID: UInt32?
    public var groupID: UInt32?
    public var supplementaryGroups: [UInt32]?
    /// What the node has allocated to it, and what of that is in force; nil when not known.
    public var allocatedResources: ResourceRequirements?
    public var appliedResources: ResourceRequirements?
    /// nil for a container without a postStart hook, and once that has ended well: only then has the container started.
    public var postStart: PostStartState?

    public init(
        id: String, sandboxID: String, name: String, attempt: UInt32, definitionHash: String, image: String = "",
        imageID: String = "", state: State, userID: UInt32? = nil, groupID: UInt32? = nil,
        supplementaryGroups: [UInt32]? = nil, allocatedResources: ResourceRequirements? = nil,
        appliedResources: ResourceRequirements? = nil, postStart: PostStartState? = nil
    ) {
        self.id = id
        self.sandboxID = sandboxID
        self.name = name
        self.attempt = attempt
        self.definitionHash = definitionHash
        self.image = image
        self.imageID = imageID
        self.state = state
        self.userID = userID
        self.groupID = groupID
        self.supplementaryGroups = supplementaryGroups
        self.allocatedResources = allocatedResources
        self.appliedResources = appliedResources
        self.postStart = postStart
    }

    public var isRunning: Bool {
        if case .running = state { return true }
        return false
    }

    /// When its program began; nil when it never did.
    public var startedAt: Timestamp? {
        switch state {
        case .created: nil
        case .running(let startedAt): startedAt
        case .exited(let end): end.startedAt
        }
    }

    public var terminated: ContainerStateTerminated? {
        if case .exited(let terminated) = state { return terminated }
        return nil
    }
}

/// How far a container's postStart hook has come. Kept with the container, so that an agent after this one runs the hook of which
/// no end is known again (it is run at least once) and ends the container whose hook failed.
public enum PostStartState: String, Hashable, Sendable {
    /// It is to be run, or runs.
    case pending
    case failed
}

/// What exists of a pod on this node right now.
public struct PodObservation: Hashable, Sendable {
    /// The sandbox with live namespaces, if there is one.
    public var sandboxID: String?
    /// One more than the highest attempt of any sandbox of the pod.
    public var nextSandboxAttempt: UInt32
    /// The sandbox's addresses, in any order.
    public var podIPs: [String]
    public var containers: [ContainerObservation]

    public init(
        sandboxID: String? = nil, nextSandboxAttempt: UInt32 = 0, podIPs: [String] = [],
        containers: [ContainerObservation] = []
    ) {
        self.sandboxID = sandboxID
        self.nextSandboxAttempt = nextSandboxAttempt
        self.podIPs = podIPs
        self.containers = containers
    }

    /// Instances of one container, newest first.
    public func instances(of name: String) -> [ContainerObservation] {
        containers.filter { $0.name == name }.sorted { $0.attempt > $1.attempt }
    }

    public func newest(_ name: String) -> ContainerObservation? {
        containers.lazy.filter { $0.name == name }.max { $0.attempt < $1.attempt }
    }

    /// Whether one of the pod's own containers was made in this sandbox: its init containers had all done their work
    /// then, also those whose records are gone.
    func isInitialized(_ pod: Pod, in sandboxID: String?) -> Bool {
        guard let sandboxID else { return false }
        let names = Set(pod.spec.containers.map(\.name))
        return containers.contains { $0.sandboxID == sandboxID && names.contains($0.name) }
    }
}

extension Container {
    /// What a restart on change looks at: name and image (reliability of running pods over later edits).
    var definitionHash: String { "\(name)|\(image ?? "")" }
}
