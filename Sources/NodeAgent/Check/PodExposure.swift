public import KubernetesAPI

/// How much of the host a pod can reach, if its program turns against it: 0 for a pod that is as closed as can be, 100
/// for one that owns the host. Pure; from the spec alone, with what this node does when the spec says nothing.
public struct PodExposure: Hashable, Sendable {
    /// One thing that opens the pod.
    public struct Point: Hashable, Sendable {
        public var points: Int
        /// The field that says so, or should say otherwise.
        public var field: String
        public var reason: String
        public var fix: String
        /// Of points with one rule the largest counts: two containers with the same hole are one hole.
        var rule: String
    }

    public enum Level: String, Sendable {
        case low, medium, high, critical
    }

    /// The largest first.
    public private(set) var points: [Point] = []

    public init(_ pod: Pod) {
        addPod(pod.spec)
        addVolumes(pod.spec)
        addContainers(pod.spec)
        points.sort { ($1.points, $0.field, $0.rule) < ($0.points, $1.field, $1.rule) }
    }

    /// 0…100.
    public var score: Int {
        min(100, Dictionary(points.map { ($0.rule, $0.points) }, uniquingKeysWith: max).values.reduce(0, +))
    }

    public var level: Level {
        switch score {
        case ..<20: .low
        case ..<45: .medium
        case ..<75: .high
        default: .critical
        }
    }

    mutating func add(_ points: Int, _ rule: String, _ field: String, _ reason: String, fix: String) {
        self.points.append(Point(points: points, field: field, reason: reason, fix: fix, rule: rule))
    }

    private mutating func addPod(_ spec: PodSpec) {
        if spec.hostPID == true {
            add(
                25, "hostPID", "spec.hostPID", "sees, and as root can kill and trace, every process of the host",
                fix: "leave hostPID out")
        }
        if spec.hostNetwork == true {
            add(
                20, "hostNetwork", "spec.hostNetwork", "reaches services that listen on the host's loopback interface",
                fix: "leave hostNetwork out; open single ports with ports[].hostPort")
        }
        if spec.hostIPC == true {
            add(
                10, "hostIPC", "spec.hostIPC", "reads shared memory of the host's processes", fix: "leave hostIPC out")
        }
        if spec.shareProcessNamespace == true {
            add(
                2, "shareProcessNamespace", "spec.shareProcessNamespace",
                "its containers see each other's processes and files", fix: "leave shareProcessNamespace out")
        }
        if spec.hostUsers != false {
            add(
                5, "hostUsers", "spec.hostUsers", "root of the container is root of the host, should it get out",
                fix: "set hostUsers: false")
        }
        for sysctl in spec.securityContext?.sysctls ?? [] {
            add(
                2, "sysctls", "spec.securityContext.sysctls[\(sysctl.name)]",
                "changes a kernel parameter of its namespaces", fix: "leave it out unless the program needs it")
        }
    }

    // MARK: Volumes

    /// Whoever writes there rules the host.
    private static let rulingPaths = [
        "/", "/etc", "/root", "/usr", "/bin", "/sbin", "/lib", "/lib64", "/boot", "/dev", "/proc", "/sys", "/run",
        "/var/run", "/var", "/var/lib", "/var/lib/swiftlet", "/var/lib/kubelet", "/var/lib/docker",
        "/var/lib/containerd",
    ]

    private mutating func addVolumes(_ spec: PodSpec) {
        let containers = (spec.initContainers ?? []) + spec.containers
        for volume in spec.volumes ?? [] {
            guard let source = volume.hostPath else { continue }
            let mounts = containers.flatMap { $0.volumeMounts ?? [] }.filter { $0.name == volume.name }
            let isWritable = mounts.contains { $0.readOnly != true }
            let path =
                source.path.count > 1 && source.path.hasSuffix("/") ? String(source.path.dropLast()) : source.path
            var worth = 10
            var reason = "the host's \(path)"
            if path == "/" {
                worth = 50
            } else if Self.rulingPaths.contains(path) || path.hasSuffix(".sock") {
                worth = 35
            }
            reason += isWritable ? " can be changed" : " can be read"
            add(
                isWritable ? worth : worth / 2, "hostPath", "spec.volumes[\(volume.name)].hostPath", reason,
                fix: isWritable
                    ? "mount it read-only, or use an emptyDir or configMap" : "use an emptyDir or configMap")
        }
    }

    // MARK: Containers

    private mutating func addContainers(_ spec: PodSpec) {
        let kinds = [
            ("initContainers", spec.initContainers ?? []), ("containers", spec.containers),
            ("ephemeralContainers", (spec.ephemeralContainers ?? []).map(\.container)),
        ]
        for (kind, containers) in kinds {
            for container in containers {
                let field = "spec.\(kind)[\(container.name)]"
                addRights(container, spec, field)
                addCapabilities(container, field)
                addFilters(container, spec, field)
                addPlaces(container, field)
                if kind == "containers" { addLimits(container, spec, field) }
            }
        }
    }

    private mutating func addRights(_ container: Container, _ spec: PodSpec, _ field: String) {
        let context = container.securityContext
        if context?.privileged == true {
            add(
                70, "privileged", field + ".securityContext.privileged",
                "has every capability and every device of the host", fix: "name the capabilities it needs instead")
        }
        let user = context?.runAsUser ?? spec.securityContext?.runAsUser
        let mustNotBeRoot = context?.runAsNonRoot ?? spec.securityContext?.runAsNonRoot ?? false
        let isMapped = spec.hostUsers == false
        if user == 0 {
            add(
                isMapped ? 2 : 10, "root", field + ".securityContext.runAsUser",
                isMapped ? "runs as root of its user namespace" : "runs as root", fix: "set runAsUser to another user")
        } else if user == nil, !mustNotBeRoot {
            add(
                isMapped ? 2 : 8, "root", field + ".securityContext.runAsNonRoot",
                "runs as whatever user the image says, root in most", fix: "set runAsNonRoot: true, or runAsUser")
        }
        if context?.allowPrivilegeEscalation != false, context?.privileged != true {
            add(
                5, "escalation", field + ".securityContext.allowPrivilegeEscalation",
                "programs with the set-user-ID bit raise its rights", fix: "set allowPrivilegeEscalation: false")
        }
    }

    private mutating func addFilters(_ container: Container, _ spec: PodSpec, _ field: String) {
        let context = container.securityContext
        let seccomp = context?.seccompProfile ?? spec.securityContext?.seccompProfile
        // Without a profile this node sets RuntimeDefault.
        if seccomp?.type == "Unconfined" {
            add(
                20, "seccomp", field + ".securityContext.seccompProfile", "may call every system call of the kernel",
                fix: "set type: RuntimeDefault")
        }
        let appArmor = context?.appArmorProfile ?? spec.securityContext?.appArmorProfile
        if appArmor?.type == "Unconfined" {
            add(
                5, "appArmor", field + ".securityContext.appArmorProfile", "no AppArmor profile confines it",
                fix: "set type: RuntimeDefault")
        }
        if context?.procMount == "Unmasked" {
            add(
                15, "procMount", field + ".securityContext.procMount", "sees and changes kernel settings in /proc",
                fix: "leave procMount out")
        }
    }

    private mutating func addPlaces(_ container: Container, _ field: String) {
        if container.securityContext?.readOnlyRootFilesystem != true {
            add(
                3, "writableRoot", field + ".securityContext.readOnlyRootFilesystem",
                "an intruder can leave programs in its root file system",
                fix: "set readOnlyRootFilesystem: true, with an emptyDir for what it writes")
        }
        if container.image?.hasPrefix("host:///") == true {
            add(
                15, "hostRoot", field + ".image", "reads the host's own files, as far as its user may",
                fix: "use an image of its own")
        }
        for mount in container.volumeMounts ?? [] where mount.mountPropagation == "Bidirectional" {
            add(
                15, "propagation", field + ".volumeMounts[\(mount.mountPath)].mountPropagation",
                "what it mounts appears on the host", fix: "use HostToContainer or None")
        }
        for port in container.ports ?? [] where (port.hostPort ?? 0) > 0 {
            add(
                3, "hostPort", field + ".ports[\(port.containerPort)].hostPort", "is reached at the host's address",
                fix: "use a Service")
        }
    }

    private mutating func addLimits(_ container: Container, _ spec: PodSpec, _ field: String) {
        let limits = container.resources?.limits ?? [:]
        if limits["memory"] == nil {
            add(
                4, "memoryLimit", field + ".resources.limits.memory", "can use up the host's memory", fix: "set a limit"
            )
        }
        if limits["cpu"] == nil {
            add(
                1, "cpuLimit", field + ".resources.limits.cpu", "can use every processor that is idle",
                fix: "set a limit")
        }
        if limits["ephemeral-storage"] == nil {
            add(
                2, "storageLimit", field + ".resources.limits.ephemeral-storage", "can fill the host's disk",
                fix: "set a limit")
        }
    }
}
