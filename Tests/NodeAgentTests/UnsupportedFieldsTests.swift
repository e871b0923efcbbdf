import KubernetesAPI
import Testing

@testable import NodeAgent

struct UnsupportedFieldsTests {
    private static func pod(_ change: (inout PodSpec) -> Void = { _ in }) -> Pod {
        var spec = PodSpec(containers: [Container(name: "a"), Container(name: "b")])
        change(&spec)
        return Pod(spec: spec)
    }

    @Test("an ordinary pod, and one that spells out the defaults, asks for nothing unsupported")
    func supported() {
        #expect(UnsupportedFields.find(in: Self.pod()) == [])
        let spelledOut = Self.pod { spec in
            spec.hostPID = false
            spec.hostIPC = false
            spec.hostUsers = false
            spec.shareProcessNamespace = false
            spec.ephemeralContainers = []
            spec.containers[0].tty = true
            spec.containers[0].stdin = true
            spec.containers[0].ports = [ContainerPort(hostPort: 0, containerPort: 80)]
            spec.containers[0].securityContext = SecurityContext(
                privileged: false, procMount: "Default", seccompProfile: SeccompProfile(type: "RuntimeDefault"))
            spec.containers[1].securityContext = SecurityContext(seccompProfile: SeccompProfile(type: "Unconfined"))
        }
        #expect(UnsupportedFields.find(in: spelledOut) == [])
    }

    private static let podFields: [(String, @Sendable (inout PodSpec) -> Void)] = [
        ("spec.runtimeClassName", { $0.runtimeClassName = "kata" }),
        ("spec.resourceClaims", { $0.resourceClaims = [PodResourceClaim()] }),
    ]

    @Test("a field of the pod that is not carried out is named", arguments: podFields)
    func refusedInPod(path: String, change: @Sendable (inout PodSpec) -> Void) {
        #expect(UnsupportedFields.find(in: Self.pod(change)) == [path])
    }

    private static let containerFields: [(String, @Sendable (inout Container) -> Void)] = [
        ("ports[].hostPort", { $0.ports = [ContainerPort(hostPort: 80, containerPort: 80)] })
    ]

    @Test("a field of a container is named with the container's place", arguments: containerFields)
    func refusedInContainer(field: String, change: @Sendable (inout Container) -> Void) {
        #expect(UnsupportedFields.find(in: Self.pod { change(&$0.containers[1]) }) == ["spec.containers[1]." + field])
        let initPod = Self.pod { spec in
            var container = Container(name: "i")
            change(&container)
            spec.initContainers = [container]
        }
        #expect(UnsupportedFields.find(in: initPod) == ["spec.initContainers[0]." + field])
    }

    @Test("on the host's network a host port is nothing special")
    func hostNetworkPorts() {
        let pod = Self.pod { spec in
            spec.hostNetwork = true
            spec.containers[0].ports = [ContainerPort(hostPort: 80, containerPort: 80)]
        }
        #expect(UnsupportedFields.find(in: pod) == [])
    }

    @Test("every unsupported field is named, not only the first")
    func several() {
        let pod = Self.pod { spec in
            spec.runtimeClassName = "kata"
            spec.containers[0].securityContext = SecurityContext(seLinuxOptions: SELinuxOptions())
            spec.containers[1].ports = [ContainerPort(hostPort: 80, containerPort: 80)]
        }
        let expected = [
            "spec.containers[0].securityContext.seLinuxOptions", "spec.containers[1].ports[].hostPort",
            "spec.runtimeClassName",
        ]
        #expect(UnsupportedFields.find(in: pod) == expected)
    }

    @Test("probes, hooks, restart policies and rules, deadlines and ephemeral containers are carried out")
    func lifecycle() {
        let pod = Self.pod { spec in
            spec.activeDeadlineSeconds = 5
            spec.ephemeralContainers = [EphemeralContainer(name: "e", tty: true)]
            spec.containers[0].livenessProbe = Probe()
            spec.containers[0].readinessProbe = Probe()
            spec.containers[0].startupProbe = Probe()
            spec.containers[0].lifecycle = Lifecycle(postStart: LifecycleHandler(), preStop: LifecycleHandler())
            spec.containers[0].restartPolicy = "Never"
            spec.containers[0].restartPolicyRules = [ContainerRestartRule()]
        }
        #expect(UnsupportedFields.find(in: pod) == [])
    }

    @Test("what a pod shares with its host and among its containers is carried out")
    func privileges() {
        let pod = Self.pod { spec in
            (spec.hostPID, spec.hostIPC, spec.hostNetwork, spec.setHostnameAsFQDN) = (true, true, true, true)
            spec.securityContext = PodSecurityContext(sysctls: [Sysctl(name: "net.core.somaxconn", value: "1")])
            spec.containers[0].securityContext = SecurityContext(privileged: true)
            spec.containers[1].securityContext = SecurityContext(procMount: "Unmasked")
        }
        #expect(UnsupportedFields.find(in: pod) == [])
        #expect(UnsupportedFields.find(in: Self.pod { $0.shareProcessNamespace = true }) == [])
    }

    @Test("a container added for debugging is refused alone")
    func ephemeral() {
        let refused = EphemeralContainer(
            name: "e", securityContext: SecurityContext(seLinuxOptions: SELinuxOptions()))
        let expected = ["spec.ephemeralContainers[e].securityContext.seLinuxOptions"]
        #expect(UnsupportedFields.find(in: refused, of: Self.pod()) == expected)
        #expect(UnsupportedFields.find(in: EphemeralContainer(name: "e"), of: Self.pod()) == [])
    }
}
