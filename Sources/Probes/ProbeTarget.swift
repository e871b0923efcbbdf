public import KubernetesAPI

/// A running instance of a container, to be probed.
public struct ProbeTarget: Hashable, Sendable {
    public var podUID: String
    public var podNamespace: String
    public var podName: String
    /// The instance; never used again for another one.
    public var containerID: String
    public var container: Container
    /// Where probes without a `host` go; nil while the pod has no address.
    public var podIP: String?
    /// How long the instance has run when it is handed over.
    public var runningFor: Duration
    /// What the pod's status says: the instance's startup probe has succeeded already. It does not run again then.
    public var wasStarted: Bool
    /// What the pod's status says about the readiness of an instance that ran before the agent began.
    public var wasReady: Bool?

    public init(
        podUID: String, podNamespace: String, podName: String, containerID: String, container: Container,
        podIP: String?, runningFor: Duration = .zero, wasStarted: Bool = false, wasReady: Bool? = nil
    ) {
        self.podUID = podUID
        self.podNamespace = podNamespace
        self.podName = podName
        self.containerID = containerID
        self.container = container
        self.podIP = podIP
        self.runningFor = runningFor
        self.wasStarted = wasStarted
        self.wasReady = wasReady
    }
}
