/// Runs pods until a number of them has succeeded.
public struct Job: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "batch", version: "v1", kind: "Job", plural: "jobs", namespaced: true, categories: ["all"])
    }

    @APIVersionOf<Job> public var apiVersion: String
    @KindOf<Job> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta
    @ZeroIfAbsent public var spec: JobSpec
    public var status: JobStatus?

    public init(metadata: ObjectMeta = ObjectMeta(), spec: JobSpec = JobSpec(), status: JobStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// The desired state of a ``Job``.
public struct JobSpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    /// Pods at the same time; absent means 1.
    public var parallelism: Int32?
    /// Pods that must succeed; absent: the first that succeeds ends the work.
    public var completions: Int32?
    /// Seconds after the start at which the job fails.
    public var activeDeadlineSeconds: Int64?
    /// Failed pods after which the job fails; absent means 6.
    public var backoffLimit: Int32?
    public var selector: LabelSelector?
    public var manualSelector: Bool?
    @ZeroIfAbsent public var template: PodTemplateSpec
    /// Seconds after the end at which the job is removed.
    public var ttlSecondsAfterFinished: Int32?
    /// Only `NonIndexed` is carried out.
    public var completionMode: String?
    /// No pods run while it is true.
    public var suspend: Bool?
    /// `TerminatingOrFailed` or `Failed`: when a pod is replaced.
    public var podReplacementPolicy: String?

    public init(
        parallelism: Int32? = nil, completions: Int32? = nil, activeDeadlineSeconds: Int64? = nil,
        backoffLimit: Int32? = nil, selector: LabelSelector? = nil, manualSelector: Bool? = nil,
        template: PodTemplateSpec = PodTemplateSpec(), ttlSecondsAfterFinished: Int32? = nil,
        completionMode: String? = nil, suspend: Bool? = nil, podReplacementPolicy: String? = nil
    ) {
        self.parallelism = parallelism
        self.completions = completions
        self.activeDeadlineSeconds = activeDeadlineSeconds
        self.backoffLimit = backoffLimit
        self.selector = selector
        self.manualSelector = manualSelector
        self.template = template
        self.ttlSecondsAfterFinished = ttlSecondsAfterFinished
        self.completionMode = completionMode
        self.suspend = suspend
        self.podReplacementPolicy = podReplacementPolicy
    }
}

/// The observed state of a ``Job``.
public struct JobStatus: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    public var conditions: [WorkloadCondition]?
    public var startTime: Timestamp?
    public var completionTime: Timestamp?
    public var active: Int32?
    public var succeeded: Int32?
    public var failed: Int32?
    public var terminating: Int32?
    public var ready: Int32?
    /// Ended pods that the counters do not hold yet.
    public var uncountedTerminatedPods: UncountedTerminatedPods?

    public init() {}
}

/// Uids of pods that ended and still carry the job's finalizer.
public struct UncountedTerminatedPods: Codable, Hashable, Sendable {
    public var succeeded: [String]?
    public var failed: [String]?

    public init(succeeded: [String]? = nil, failed: [String]? = nil) {
        self.succeeded = succeeded
        self.failed = failed
    }
}
