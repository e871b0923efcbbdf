/// Makes a ``Job`` at certain times.
public struct CronJob: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "batch", version: "v1", kind: "CronJob", plural: "cronjobs", shortNames: ["cj"], namespaced: true,
            categories: ["all"])
    }

    @APIVersionOf<CronJob> public var apiVersion: String
    @KindOf<CronJob> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta = ObjectMeta()
    @ZeroIfAbsent public var spec: CronJobSpec = CronJobSpec()
    public var status: CronJobStatus?

    public init() {}
}

/// The desired state of a ``CronJob``.
public struct CronJobSpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    /// Minute, hour, day of the month, month and day of the week, as cron(8) reads them.
    @ZeroIfAbsent public var schedule: String = ""
    /// A name of the time zone database; absent means the server's own.
    public var timeZone: String?
    /// Seconds a job may start late.
    public var startingDeadlineSeconds: Int64?
    /// `Allow`, `Forbid` or `Replace`.
    public var concurrencyPolicy: String?
    public var suspend: Bool?
    @ZeroIfAbsent public var jobTemplate: JobTemplateSpec = JobTemplateSpec()
    /// Absent means 3.
    public var successfulJobsHistoryLimit: Int32?
    /// Absent means 1.
    public var failedJobsHistoryLimit: Int32?

    public init() {}
}

/// The job a ``CronJob`` makes copies of.
public struct JobTemplateSpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    @ZeroIfAbsent public var metadata: ObjectMeta = ObjectMeta()
    @ZeroIfAbsent public var spec: JobSpec = JobSpec()

    public init() {}
}

/// The observed state of a ``CronJob``.
public struct CronJobStatus: Codable, Hashable, Sendable {
    /// Jobs that run now.
    public var active: [ObjectReference]?
    public var lastScheduleTime: Timestamp?
    public var lastSuccessfulTime: Timestamp?

    public init() {}
}
