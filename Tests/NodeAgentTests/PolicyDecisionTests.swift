import KubernetesAPI
import Testing
import Volumes

@testable import NodeAgent

@Suite("What a pod may ask of the node")
struct PolicyDecisionTests {
    static let protected = ProtectedPaths(
        sealed: ["/var/lib/swiftlet", "/run/swiftlet"], logs: ["/var/log/pods", "/var/log/containers"])

    static func refusals(
        _ grants: PolicyGrants, resolved: [String: String] = [:], container: String? = nil,
        _ change: (inout Pod) -> Void
    ) -> [PolicyRefusal] {
        var pod = Pod(
            metadata: ObjectMeta(name: "p", namespace: "default", uid: "u"),
            spec: PodSpec(containers: [Container(name: "c", image: "busybox")]))
        change(&pod)
        var decision = PolicyDecision(
            pod, grants: grants, rule: "the rule", protected: Self.protected, resolvedPaths: resolved)
        return decision.refusals(ofContainer: container)
    }

    static let standard = PolicyGrants.standard(for: .api, allowsHostRootfsFromAPI: false)

    /// One thing a pod may ask for.
    struct Row: Sendable, CustomTestStringConvertible {
        var field: String
        var grant: @Sendable (inout PolicyGrants) -> Void
        var ask: @Sendable (inout Pod) -> Void
        var testDescription: String { field }
    }

    private static func security(_ change: @escaping @Sendable (inout SecurityContext) -> Void)
        -> @Sendable (inout Pod)
        -> Void
    {
        { pod in
            var context = SecurityContext()
            change(&context)
            pod.spec.containers[0].securityContext = context
        }
    }

    static let rows: [Row] = [
        Row(
            field: "spec.containers[0].securityContext.privileged", grant: { $0.privileged = true },
            ask: security { $0.privileged = true }),
        Row(field: "spec.hostNetwork", grant: { $0.hostNetwork = true }, ask: { $0.spec.hostNetwork = true }),
        Row(field: "spec.hostPID", grant: { $0.hostPID = true }, ask: { $0.spec.hostPID = true }),
        Row(field: "spec.hostIPC", grant: { $0.hostIPC = true }, ask: { $0.spec.hostIPC = true }),
        Row(
            field: "spec.containers[0].securityContext.capabilities.add[0]",
            grant: { $0.capabilities = ["SYS_ADMIN"] },
            ask: security { $0.capabilities = Capabilities(add: ["SYS_ADMIN"]) }),
        Row(
            field: "spec.containers[0].securityContext.capabilities.add[0]", grant: { $0.capabilities = ["ALL"] },
            ask: security { $0.capabilities = Capabilities(add: ["CAP_NET_ADMIN"]) }),
        Row(
            field: "spec.containers[0].securityContext.capabilities.add[0]", grant: { $0.capabilities = ["ALL"] },
            ask: security { $0.capabilities = Capabilities(add: ["all"]) }),
        Row(
            field: "spec.containers[0].securityContext.procMount", grant: { $0.procMountUnmasked = true },
            ask: security { $0.procMount = "Unmasked" }),
        Row(
            field: "spec.containers[0].securityContext.seccompProfile.type", grant: { $0.seccompUnconfined = true },
            ask: security { $0.seccompProfile = SeccompProfile(type: "Unconfined") }),
        Row(
            field: "spec.securityContext.seccompProfile.type", grant: { $0.seccompUnconfined = true },
            ask: { $0.spec.securityContext = PodSecurityContext(seccompProfile: SeccompProfile(type: "Unconfined")) }),
        Row(
            field: "spec.containers[0].securityContext.appArmorProfile.type", grant: { $0.appArmorUnconfined = true },
            ask: security { $0.appArmorProfile = AppArmorProfile(type: "Unconfined") }),
        Row(
            field: "metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]",
            grant: { $0.appArmorUnconfined = true },
            ask: { $0.metadata.annotations = ["container.apparmor.security.beta.kubernetes.io/c": "unconfined"] }),
        Row(
            field: "spec.containers[0].volumeMounts[0].mountPropagation", grant: { $0.bidirectionalPropagation = true },
            ask: {
                $0.spec.containers[0].volumeMounts = [
                    VolumeMount(name: "v", mountPath: "/v", mountPropagation: "Bidirectional")
                ]
            }),
        Row(
            field: "spec.containers[0].ports[0].hostPort", grant: { $0.hostPorts = true },
            ask: { $0.spec.containers[0].ports = [ContainerPort(hostPort: 80, containerPort: 80)] }),
        Row(
            field: "spec.containers[0].image", grant: { $0.hostRootfs = true },
            ask: { $0.spec.containers[0].image = "host:///" }),
        Row(
            field: "spec.volumes[0].hostPath.path",
            grant: { $0.hostPaths = HostPathGrants(literals: ["/srv": .readWrite]) },
            ask: { $0.spec.volumes = [Volume(name: "v", hostPath: HostPathVolumeSource(path: "/srv/data"))] }),
        Row(
            field: "spec.initContainers[0].securityContext.privileged", grant: { $0.privileged = true },
            ask: {
                $0.spec.initContainers = [
                    Container(name: "i", image: "busybox", securityContext: SecurityContext(privileged: true))
                ]
            }),
    ]

    /// Nothing but what every pod needs.
    private static var bare: PolicyGrants {
        var grants = PolicyGrants()
        grants.hostUsers = true
        grants.runAsRoot = true
        grants.images = nil
        return grants
    }

    @Test("each field is refused by name, with rule and remedy, and allowed by its grant alone", arguments: rows)
    func field(_ row: Row) {
        let refused = Self.refusals(Self.bare, row.ask)
        #expect(refused.map(\.field) == [row.field])
        #expect(refused.first?.rule == "the rule")
        #expect(refused.first?.remedy.isEmpty == false)
        var grants = Self.bare
        row.grant(&grants)
        #expect(Self.refusals(grants, row.ask).isEmpty)
        #expect(Self.refusals(.everything, row.ask).isEmpty)
    }

    @Test("the remedy that a message names is the grant that helps")
    func remedies() throws {
        for row in Self.rows {
            for refusal in Self.refusals(Self.bare, row.ask) {
                let text = "rules:\n- allow: {hostUsers: true, runAsRoot: true, \(refusal.remedy)}"
                let rule = try #require(try NodePolicy(parsing: text, file: "f").rules.first)
                #expect(Self.refusals(rule.allowed.applied(to: Self.bare), row.ask).isEmpty, "\(refusal.remedy)")
            }
        }
    }

    @Test("a pod that asks for nothing is allowed, and the default capabilities are no extra ones")
    func ordinary() {
        #expect(Self.refusals(Self.bare) { _ in }.isEmpty)
        let ask = Self.security {
            $0.capabilities = Capabilities(add: ["NET_BIND_SERVICE", "CAP_CHOWN"], drop: ["ALL"])
        }
        #expect(Self.refusals(Self.bare, ask).isEmpty)
        let off: @Sendable (inout Pod) -> Void = {
            $0.spec.hostPID = false
            $0.spec.containers[0].securityContext = SecurityContext(privileged: false, procMount: "Default")
            $0.spec.containers[0].ports = [ContainerPort(hostPort: 0, containerPort: 80)]
        }
        #expect(Self.refusals(Self.bare, off).isEmpty)
    }

    @Test("everything refused is told, in the pod's order")
    func several() {
        let refused = Self.refusals(Self.bare) {
            $0.spec.hostPID = true
            $0.spec.containers[0].securityContext = SecurityContext(privileged: true)
        }
        #expect(refused.map(\.field) == ["spec.hostPID", "spec.containers[0].securityContext.privileged"])
    }

    @Test("without the host's user namespace or root a pod has to say so")
    func users() {
        var grants = Self.bare
        grants.hostUsers = false
        #expect(Self.refusals(grants) { _ in }.map(\.field) == ["spec.hostUsers"])
        #expect(Self.refusals(grants) { $0.spec.hostUsers = false }.isEmpty)
        grants = Self.bare
        grants.runAsRoot = false
        let field = ["spec.containers[0].securityContext.runAsUser"]
        #expect(Self.refusals(grants) { _ in }.map(\.field) == field)
        #expect(Self.refusals(grants, Self.security { $0.runAsUser = 0 }).map(\.field) == field)
        #expect(Self.refusals(grants, Self.security { $0.runAsUser = 1 }).isEmpty)
        #expect(Self.refusals(grants, Self.security { $0.runAsNonRoot = true }).isEmpty)
        #expect(Self.refusals(grants) { $0.spec.securityContext = PodSecurityContext(runAsUser: 7) }.isEmpty)
        let mixed = Self.refusals(grants) {
            $0.spec.securityContext = PodSecurityContext(runAsNonRoot: true)
            $0.spec.containers[0].securityContext = SecurityContext(runAsNonRoot: false)
        }
        #expect(mixed.map(\.field) == field)
    }

    @Test(
        "images are held to beginnings of their full names",
        arguments: [
            ("busybox", true), ("docker.io/library/busybox:1", true), ("registry.example.com/team/app:2", true),
            ("registry.example.com/teamwork/app", false), ("registry.example.com.evil.org/team/app", false),
            ("evil/busybox", false), ("library/other", true), ("quay.io/library/busybox", false), ("!", false),
        ])
    func images(_ image: String, _ isAllowed: Bool) {
        var grants = Self.bare
        grants.images = ["docker.io/library/", "registry.example.com/team"]
        #expect(Self.refusals(grants) { $0.spec.containers[0].image = image }.isEmpty == isAllowed)
    }

    @Test("an ephemeral container is looked at by its own name, and by nobody else's")
    func ephemeral() {
        func ask(_ pod: inout Pod) {
            pod.spec.ephemeralContainers = [
                EphemeralContainer(name: "debug", image: "busybox", securityContext: SecurityContext(privileged: true))
            ]
        }
        #expect(Self.refusals(Self.bare, ask).isEmpty)
        #expect(Self.refusals(Self.bare, container: "c", ask).isEmpty)
        #expect(
            Self.refusals(Self.bare, container: "debug", ask).map(\.field) == [
                "spec.ephemeralContainers[0].securityContext.privileged"
            ])
    }

    @Test("the message names field, value, namespace, rule and what to do")
    func message() {
        let refusal = Self.refusals(Self.bare) { $0.spec.hostPID = true }.first
        #expect(
            refusal?.message(namespace: "web", policyFile: "/p.yaml")
                == "node policy: spec.hostPID: true is not allowed in namespace \"web\" by the rule; remove it from the "
                + "pod, or have the node's administrator add \"allow: {hostPID: true}\" to a rule in /p.yaml")
    }
}
