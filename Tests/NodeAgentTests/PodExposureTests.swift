import KubernetesAPI
import Testing

@testable import NodeAgent

@Suite struct PodExposureTests {
    /// Everything closed that can be.
    private func closed() -> Pod {
        var container = Container(name: "main", image: "registry.example/app:1")
        container.securityContext = SecurityContext(
            capabilities: Capabilities(drop: ["ALL"]), runAsUser: 1000, runAsNonRoot: true,
            readOnlyRootFilesystem: true, allowPrivilegeEscalation: false)
        container.resources = ResourceRequirements(
            limits: ["memory": .bytes(1 << 20), "cpu": .milli(100), "ephemeral-storage": .bytes(1 << 20)])
        var spec = PodSpec(containers: [container])
        spec.hostUsers = false
        return Pod(metadata: ObjectMeta(name: "p", namespace: "default"), spec: spec)
    }

    private func changed(_ body: (inout PodSpec, inout Container) -> Void) -> PodExposure {
        var pod = closed()
        var container = pod.spec.containers[0]
        body(&pod.spec, &container)
        pod.spec.containers[0] = container
        return PodExposure(pod)
    }

    @Test("a pod with everything closed has no points")
    func none() {
        let exposure = PodExposure(closed())
        #expect(exposure.score == 0 && exposure.points.isEmpty && exposure.level == .low)
        #expect(exposure.text(of: "default/p").contains("exposure 0 of 100 (low)"))
    }

    @Test("each hole is found, with the field that makes it")
    func holes() {
        let cases: [(String, (inout PodSpec, inout Container) -> Void)] = [
            ("spec.hostPID", { spec, _ in spec.hostPID = true }),
            ("spec.hostNetwork", { spec, _ in spec.hostNetwork = true }),
            ("spec.hostIPC", { spec, _ in spec.hostIPC = true }),
            ("spec.hostUsers", { spec, _ in spec.hostUsers = nil }),
            ("spec.containers[main].securityContext.privileged", { $1.securityContext?.privileged = true }),
            ("spec.containers[main].securityContext.runAsUser", { $1.securityContext?.runAsUser = 0 }),
            (
                "spec.containers[main].securityContext.runAsNonRoot",
                {
                    $1.securityContext?.runAsUser = nil
                    $1.securityContext?.runAsNonRoot = nil
                }
            ),
            (
                "spec.containers[main].securityContext.allowPrivilegeEscalation",
                { $1.securityContext?.allowPrivilegeEscalation = nil }
            ),
            (
                "spec.containers[main].securityContext.readOnlyRootFilesystem",
                { $1.securityContext?.readOnlyRootFilesystem = false }
            ),
            (
                "spec.containers[main].securityContext.capabilities.add",
                { $1.securityContext?.capabilities?.add = ["NET_ADMIN"] }
            ),
            ("spec.containers[main].securityContext.capabilities.drop", { $1.securityContext?.capabilities = nil }),
            (
                "spec.containers[main].securityContext.seccompProfile",
                { $1.securityContext?.seccompProfile = SeccompProfile(type: "Unconfined") }
            ),
            ("spec.containers[main].securityContext.procMount", { $1.securityContext?.procMount = "Unmasked" }),
            ("spec.containers[main].resources.limits.memory", { $1.resources?.limits?["memory"] = nil }),
            ("spec.containers[main].image", { $1.image = "host:///" }),
        ]
        for (field, change) in cases {
            let exposure = changed(change)
            #expect(exposure.points.map(\.field) == [field], "\(field)")
            #expect(exposure.score > 0 && exposure.points.allSatisfy { !$0.reason.isEmpty && !$0.fix.isEmpty })
        }
    }

    @Test("the host's root in a volume is critical when writable together with root, and half when only read")
    func hostPath() {
        func exposure(readOnly: Bool) -> PodExposure {
            changed { spec, container in
                spec.volumes = [Volume(name: "v", hostPath: HostPathVolumeSource(path: "/"))]
                container.volumeMounts = [VolumeMount(name: "v", readOnly: readOnly, mountPath: "/host")]
            }
        }
        #expect(exposure(readOnly: false).score == 50 && exposure(readOnly: true).score == 25)
    }

    @Test("the same hole in two containers counts once, and is told of both")
    func twice() {
        var pod = closed()
        var second = pod.spec.containers[0]
        pod.spec.containers[0].securityContext?.allowPrivilegeEscalation = true
        second.name = "other"
        second.securityContext?.allowPrivilegeEscalation = true
        pod.spec.containers.append(second)
        let exposure = PodExposure(pod)
        #expect(exposure.points.count == 2 && exposure.score == 5)
    }

    @Test("a privileged pod in the host's namespaces is critical, and never beyond 100")
    func critical() {
        let exposure = changed { spec, container in
            spec.hostPID = true
            spec.hostNetwork = true
            spec.hostIPC = true
            container.securityContext?.privileged = true
        }
        #expect(exposure.score == 100 && exposure.level == .critical)
        #expect(exposure.points.first?.field == "spec.containers[main].securityContext.privileged")
        #expect(exposure.json["score"]?.intValue == 100)
    }
}
