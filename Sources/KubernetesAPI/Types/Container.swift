/// One program of a pod.
public struct Container: Codable, Hashable, Sendable, PatchMergeKeyed {
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

    public init(
        name: String = "", image: String? = nil, command: [String]? = nil, args: [String]? = nil,
        workingDir: String? = nil, ports: [ContainerPort]? = nil, envFrom: [EnvFromSource]? = nil,
        env: [EnvVar]? = nil, resources: ResourceRequirements? = nil, resizePolicy: [ContainerResizePolicy]? = nil,
        restartPolicy: String? = nil, restartPolicyRules: [ContainerRestartRule]? = nil,
        volumeMounts: [VolumeMount]? = nil, volumeDevices: [VolumeDevice]? = nil, livenessProbe: Probe? = nil,
        readinessProbe: Probe? = nil, startupProbe: Probe? = nil, lifecycle: Lifecycle? = nil,
        terminationMessagePath: String? = nil, terminationMessagePolicy: String? = nil, imagePullPolicy: String? = nil,
        securityContext: SecurityContext? = nil, stdin: Bool? = nil, stdinOnce: Bool? = nil, tty: Bool? = nil
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
    }
}

/// A listening port of a container.
public struct ContainerPort: Codable, Hashable, Sendable, PatchMergeKeyed {
    public static var patchMergeKey: String { "containerPort" }

    /// Unique in the pod; probes and services can refer to it.
    public var name: String?
    public var hostPort: Int32?
    @ZeroIfAbsent public var containerPort: Int32
    /// `TCP` (the default), `UDP` or `SCTP`.
    public var `protocol`: String?
    public var hostIP: String?

    public init(
        name: String? = nil, hostPort: Int32? = nil, containerPort: Int32 = 0, protocol: String? = nil,
        hostIP: String? = nil
    ) {
        self.name = name
        self.hostPort = hostPort
        self.containerPort = containerPort
        self.protocol = `protocol`
        self.hostIP = hostIP
    }
}

/// Compute resources a container, or a pod, gets.
public struct ResourceRequirements: Codable, Hashable, Sendable {
    /// The most it may use, by resource name.
    public var limits: [String: Quantity]?
    /// What is set aside for it, by resource name.
    public var requests: [String: Quantity]?
    public var claims: [ResourceClaim]?

    public init(
        limits: [String: Quantity]? = nil, requests: [String: Quantity]? = nil, claims: [ResourceClaim]? = nil
    ) {
        self.limits = limits
        self.requests = requests
        self.claims = claims
    }
}

/// Refers to one of the pod's `resourceClaims`.
public struct ResourceClaim: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var name: String
    public var request: String?

    public init(name: String = "", request: String? = nil) {
        self.name = name
        self.request = request
    }
}

/// What a change of one resource means for a running container.
public struct ContainerResizePolicy: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var resourceName: String
    /// `NotRequired` or `RestartContainer`.
    @ZeroIfAbsent public var restartPolicy: String

    public init(resourceName: String = "", restartPolicy: String = "") {
        self.resourceName = resourceName
        self.restartPolicy = restartPolicy
    }
}

/// Decides about a restart by exit code.
public struct ContainerRestartRule: Codable, Hashable, Sendable {
    /// `Restart` or `RestartAllContainers`.
    public var action: String?
    public var exitCodes: ContainerRestartRuleOnExitCodes?

    public init(action: String? = nil, exitCodes: ContainerRestartRuleOnExitCodes? = nil) {
        self.action = action
        self.exitCodes = exitCodes
    }
}

/// The exit codes a ``ContainerRestartRule`` is about.
public struct ContainerRestartRuleOnExitCodes: Codable, Hashable, Sendable {
    /// `In` or `NotIn`.
    public var `operator`: String?
    public var values: [Int32]?

    public init(operator: String? = nil, values: [Int32]? = nil) {
        self.operator = `operator`
        self.values = values
    }
}

/// When an image is pulled.
public enum ImagePullPolicy: String, CaseIterable, Sendable {
    case always = "Always"
    case ifNotPresent = "IfNotPresent"
    case never = "Never"
}
