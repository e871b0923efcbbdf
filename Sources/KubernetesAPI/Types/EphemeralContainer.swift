/// A container added to a running pod for debugging.
public struct EphemeralContainer: Codable, Hashable, Sendable, PatchMergeKeyed {
    public static var patchMergeKey: String { "name" }

    /// Unique among all containers of the pod; a DNS-1123 label.
    @ZeroIfAbsent public var name: String
    /// The image reference.
    public var image: String?
    /// Replaces the image's entrypoint. `$(VAR)` is expanded.
    public var command: [String]?
    /// Replaces the image's arguments. `$(VAR)` is expanded.
    public var args: [String]?
    public var workingDir: String?
    public var ports: [ContainerPort]?
    public var envFrom: [EnvFromSource]?
    public var env: [EnvVar]?
    public var resources: ResourceRequirements?
    public var resizePolicy: [ContainerResizePolicy]?
    /// See ``RestartPolicy``; `Always` on an init container makes it a sidecar.
    public var restartPolicy: String?
    /// Checked in order before `restartPolicy`.
    public var restartPolicyRules: [ContainerRestartRule]?
    public var volumeMounts: [VolumeMount]?
    public var volumeDevices: [VolumeDevice]?
    @IndirectIfPresent public var livenessProbe: Probe?
    @IndirectIfPresent public var readinessProbe: Probe?
    @IndirectIfPresent public var startupProbe: Probe?
    @IndirectIfPresent public var lifecycle: Lifecycle?
    /// Absent means `/dev/termination-log`.
    public var terminationMessagePath: String?
    /// `File` (the default) or `FallbackToLogsOnError`.
    public var terminationMessagePolicy: String?
    /// See ``ImagePullPolicy``.
    public var imagePullPolicy: String?
    @IndirectIfPresent public var securityContext: SecurityContext?
    /// Keep standard input open for `attach`.
    public var stdin: Bool?
    /// Close standard input after the first `attach` ends.
    public var stdinOnce: Bool?
    public var tty: Bool?
    /// The container whose PID namespace it joins.
    public var targetContainerName: String?

    public init(
        name: String = "", image: String? = nil, command: [String]? = nil, args: [String]? = nil,
        workingDir: String? = nil, ports: [ContainerPort]? = nil, envFrom: [EnvFromSource]? = nil,
        env: [EnvVar]? = nil, resources: ResourceRequirements? = nil, resizePolicy: [ContainerResizePolicy]? = nil,
        restartPolicy: String? = nil, restartPolicyRules: [ContainerRestartRule]? = nil,
        volumeMounts: [VolumeMount]? = nil, volumeDevices: [VolumeDevice]? = nil, livenessProbe: Probe? = nil,
        readinessProbe: Probe? = nil, startupProbe: Probe? = nil, lifecycle: Lifecycle? = nil,
        terminationMessagePath: String? = nil, terminationMessagePolicy: String? = nil, imagePullPolicy: String? = nil,
        securityContext: SecurityContext? = nil, stdin: Bool? = nil, stdinOnce: Bool? = nil, tty: Bool? = nil,
        targetContainerName: String? = nil
    ) {
        self.name = name
        self.image = image
        self.command = command
        self.args = args
        self.workingDir = workingDir
        self.ports = ports
        self.envFrom = envFrom
        self.env = env
        self.resources = resources
        self.resizePolicy = resizePolicy
        self.restartPolicy = restartPolicy
        self.restartPolicyRules = restartPolicyRules
        self.volumeMounts = volumeMounts
        self.volumeDevices = volumeDevices
        self.livenessProbe = livenessProbe
        self.readinessProbe = readinessProbe
        self.startupProbe = startupProbe
        self.lifecycle = lifecycle
        self.terminationMessagePath = terminationMessagePath
        self.terminationMessagePolicy = terminationMessagePolicy
        self.imagePullPolicy = imagePullPolicy
        self.securityContext = securityContext
        self.stdin = stdin
        self.stdinOnce = stdinOnce
        self.tty = tty
        self.targetContainerName = targetContainerName
    }
}
