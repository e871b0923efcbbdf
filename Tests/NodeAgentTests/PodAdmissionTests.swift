import KubernetesAPI
import Testing

@testable import NodeAgent

@Suite("Whether a node takes a pod")
struct PodAdmissionTests {
    private static func node(
        labels: [String: String] = ["zone": "a", "size": "7"], taints: [Taint]? = nil,
        allocatable: [String: Quantity] = [
            "cpu": .cores(2), "memory": .bytes(1000), "ephemeral-storage": .bytes(500), "pods": .count(3),
        ]
    ) -> Node {
        Node(
            metadata: ObjectMeta(name: "n1", labels: labels), spec: NodeSpec(taints: taints),
            status: NodeStatus(allocatable: allocatable))
    }

    private static func pod(_ uid: String = "p", _ change: (inout Pod) -> Void = { _ in }) -> Pod {
        var pod = Pod(
            metadata: ObjectMeta(name: uid, namespace: "default", uid: uid),
            spec: PodSpec(containers: [Container(name: "c", image: "i")], nodeName: "n1"))
        change(&pod)
        return pod
    }

    private static func asking(_ requests: [String: Quantity], uid: String = "p") -> Pod {
        pod(uid) { $0.spec.containers[0].resources = ResourceRequirements(requests: requests) }
    }

    private static func decide(
        _ pod: Pod, node: Node = node(), pressures: Set<PodAdmission.Pressure> = [], sysctls: [String] = [],
        others: [Pod] = []
    ) -> PodRejection? {
        PodAdmission.decide(
            pod,
            on: PodAdmission.NodeState(node: node, pressures: pressures, allowedUnsafeSysctls: sysctls),
            beside: others)
    }

    @Test("an ordinary pod is taken, on a full node too if it is the one that fills it")
    func admitted() {
        #expect(Self.decide(Self.pod()) == nil)
        let large = Self.asking(["cpu": .cores(2), "memory": .bytes(1000), "ephemeral-storage": .bytes(500)])
        #expect(Self.decide(large) == nil)
        #expect(Self.decide(large, others: [large]) == nil)
    }

    @Test("memory pressure keeps away only pods that promise nothing and do not tolerate it")
    func memoryPressure() {
        let refused = Self.decide(Self.pod(), pressures: [.memory])
        #expect(refused?.reason == "Evicted")
        #expect(refused?.message == "Pod was rejected: The node had condition: [MemoryPressure]. ")
        #expect(Self.decide(Self.asking(["cpu": .milli(1)]), pressures: [.memory]) == nil)
        let tolerant = Self.pod {
            $0.spec.tolerations = [Toleration(key: "node.kubernetes.io/memory-pressure", operator: "Exists")]
        }
        #expect(Self.decide(tolerant, pressures: [.memory]) == nil)
        #expect(Self.decide(tolerant, pressures: [.memory, .disk])?.reason == "Evicted")
    }

    @Test(
        "without disk space or process ids only critical pods are taken", arguments: [PodAdmission.Pressure.disk, .pid])
    func otherPressure(pressure: PodAdmission.Pressure) {
        let burstable = Self.asking(["cpu": .milli(1)])
        #expect(
            Self.decide(burstable, pressures: [pressure])?.message
                == "Pod was rejected: The node had condition: [\(pressure.rawValue)]. ")
        let priority = Self.pod { $0.spec.priority = 2_000_000_000 }
        let nearly = Self.pod { $0.spec.priority = 1_999_999_999 }
        let fromFile = Self.pod { $0.metadata.annotations = ["kubernetes.io/config.source": "file"] }
        #expect(Self.decide(priority, pressures: [pressure]) == nil)
        #expect(Self.decide(fromFile, pressures: [pressure]) == nil)
        #expect(Self.decide(nearly, pressures: [pressure])?.reason == "Evicted")
    }

    @Test("several pressures are named in one order")
    func manyPressures() {
        #expect(
            Self.decide(Self.pod(), pressures: [.pid, .memory, .disk])?.message
                == "Pod was rejected: The node had condition: [MemoryPressure DiskPressure PIDPressure]. ")
    }

    @Test(
        "kernel parameters: the safe ones, and what the node allows, only in namespaces of the pod's own",
        arguments: [
            ("net.ipv4.tcp_syncookies", false, nil), ("net/ipv4/tcp_syncookies", false, nil),
            ("kernel.shm_rmid_forced", true, nil), ("net.core.somaxconn", false, nil),
            ("kernel.msgmax", false, nil),
            ("net.ipv4.tcp_syncookies", true, #""net.ipv4.tcp_syncookies" not allowed with host net enabled"#),
            ("net.ipv4.ip_forward", false, #""net.ipv4.ip_forward" not allowlisted"#),
            ("kernel.shmmax", false, #""kernel.shmmax" not allowlisted"#),
            ("vm.swappiness", false, #""vm.swappiness" not allowlisted"#),
            ("net/ipv4/conf/eth0.1/forwarding", false, #""net.ipv4.conf.eth0/1.forwarding" not allowlisted"#),
        ] as [(String, Bool, String?)])
    func sysctls(name: String, hostNetwork: Bool, why: String?) {
        let pod = Self.pod {
            $0.spec.hostNetwork = hostNetwork
            $0.spec.securityContext = PodSecurityContext(sysctls: [Sysctl(name: name, value: "1")])
        }
        let rejection = Self.decide(pod, sysctls: ["kernel.msg*", "net.core.somaxconn", "vm.*"])
        #expect(rejection?.message == why.map { "Pod was rejected: forbidden sysctl: \($0)" })
        #expect(rejection?.reason == why.map { _ in "SysctlForbidden" })
    }

    @Test(
        "a value is one line of numbers, lists, ranges and names",
        arguments: [
            ("1", true), ("40000 50000", true), ("4096\t87380 6291456", true), ("8080,9148-9160", true),
            ("bbr", true), ("", true), ("1+kernel.core_pattern=|/x", false), ("1\nkernel.core_pattern=x", false),
            ("|/bin/x", false), ("$(x)", false), ("\u{e4}", false),
        ])
    func sysctlValues(value: String, isTaken: Bool) {
        let pod = Self.pod {
            $0.spec.securityContext = PodSecurityContext(sysctls: [Sysctl(name: "net.ipv4.tcp_rmem", value: value)])
        }
        let rejection = Self.decide(pod)
        #expect((rejection == nil) == isTaken)
        #expect(isTaken || rejection?.reason == "SysctlForbidden")
        #expect(rejection?.message.contains("core_pattern") != true, "what was written is not repeated")
    }

    @Test("a parameter of the host's IPC namespace is not the pod's")
    func hostIPC() {
        let pod = Self.pod {
            $0.spec.hostIPC = true
            $0.spec.securityContext = PodSecurityContext(sysctls: [Sysctl(name: "kernel.shm_rmid_forced", value: "1")])
        }
        #expect(Self.decide(pod)?.message.hasSuffix("not allowed with host ipc enabled") == true)
    }

    @Test("a pod for another operating system is refused")
    func system() {
        let labelled = Self.pod { $0.metadata.labels = ["kubernetes.io/os": "windows"] }
        #expect(Self.decide(labelled)?.reason == "PodOSSelectorNodeLabelDoesNotMatch")
        #expect(Self.decide(Self.pod { $0.spec.os = PodOS(name: "windows") })?.reason == "PodOSNotSupported")
        #expect(Self.decide(Self.pod { $0.spec.os = PodOS(name: "linux") }) == nil)
    }

    @Test(
        "what does not fit is named with amounts, CPU in thousandths, the rest in whole units",
        arguments: [
            (["cpu": .milli(1501)], "cpu", "requested: 1501, used: 500, capacity: 2000"),
            (["memory": .bytes(901)], "memory", "requested: 901, used: 100, capacity: 1000"),
            (["ephemeral-storage": .bytes(501)], "ephemeral-storage", "requested: 501, used: 0, capacity: 500"),
            (["hugepages-2Mi": .bytes(2 << 20)], "hugepages-2Mi", "requested: 2097152, used: 0, capacity: 0"),
            (["memory": .bytes(5000), "cpu": .cores(9)], "cpu", "requested: 9000, used: 500, capacity: 2000"),
            (
                ["cpu": .milli(.max)], "cpu",
                "requested: 9223372036854775807, used: 500, capacity: 2000"
            ),
        ] as [([String: Quantity], String, String)])
    func resources(requests: [String: Quantity], name: String, amounts: String) {
        let other = Self.asking(["cpu": .milli(500), "memory": .bytes(100)], uid: "other")
        let rejection = Self.decide(Self.asking(requests), others: [other])
        #expect(rejection?.reason == "OutOf\(name)")
        #expect(
            rejection?.message == "Pod was rejected: Node didn't have enough resource: \(name), \(amounts)")
    }

    @Test("pods beyond the node's number are refused, whatever they ask for; ended ones do not count")
    func podCount() {
        let others = ["a", "b", "c"].map { Self.pod($0) }
        #expect(
            Self.decide(Self.pod(), others: others)?.message
                == "Pod was rejected: Node didn't have enough resource: pods, requested: 1, used: 3, capacity: 3")
        #expect(Self.decide(Self.pod(), others: others)?.reason == "OutOfpods")
        let ended = Self.pod("c") { $0.status = PodStatus(phase: "Succeeded") }
        #expect(Self.decide(Self.pod(), others: [others[0], others[1], ended]) == nil)
    }

    @Test("a resource the node knows nothing of is left to the cluster; one it has is counted")
    func extendedResources() {
        let pod = Self.asking(["example.com/gpu": .count(2)])
        #expect(Self.decide(pod) == nil)
        let node = Self.node(allocatable: ["pods": .count(3), "example.com/gpu": .count(1)])
        #expect(Self.decide(pod, node: node)?.reason == "OutOfexample.com/gpu")
    }

    @Test("what a pod takes: the peak of its start, sidecars for as long as it runs, its overhead")
    func podRequests() {
        func container(_ name: String, _ cpu: Int64, sidecar: Bool = false) -> Container {
            Container(
                name: name, image: "i", resources: ResourceRequirements(requests: ["cpu": .milli(cpu)]),
                restartPolicy: sidecar ? "Always" : nil)
        }
        let pod = Self.pod {
            $0.spec.initContainers = [container("s", 300, sidecar: true), container("i", 1650)]
            $0.spec.containers = [container("c", 100)]
            $0.spec.overhead = ["cpu": .milli(51)]
        }
        #expect(Self.decide(pod)?.message.contains("requested: 2001,") == true)
    }

    private static func requiring(_ requirement: NodeSelectorRequirement, field: Bool = false) -> Pod {
        let term =
            field
            ? NodeSelectorTerm(matchFields: [requirement]) : NodeSelectorTerm(matchExpressions: [requirement])
        return pod {
            $0.spec.affinity = Affinity(
                nodeAffinity: NodeAffinity(
                    requiredDuringSchedulingIgnoredDuringExecution: NodeSelector(nodeSelectorTerms: [term])))
        }
    }

    @Test(
        "required node affinity with every operator",
        arguments: [
            ("zone", "In", ["a"], true), ("zone", "In", ["b"], false), ("zone", "NotIn", ["a"], false),
            ("none", "NotIn", ["a"], true), ("zone", "Exists", [], true), ("none", "Exists", [], false),
            ("none", "DoesNotExist", [], true), ("zone", "DoesNotExist", [], false), ("size", "Gt", ["6"], true),
            ("size", "Gt", ["7"], false), ("size", "Lt", ["8"], true), ("zone", "Lt", ["8"], false),
            ("size", "Gt", ["6", "5"], false),
        ] as [(String, String, [String], Bool)])
    func affinity(key: String, operation: String, values: [String], matches: Bool) {
        let pod = Self.requiring(NodeSelectorRequirement(key: key, operator: operation, values: values))
        let rejection = Self.decide(pod)
        #expect((rejection == nil) == matches)
        if let rejection {
            #expect(rejection.reason == "NodeAffinity")
            #expect(
                rejection.message
                    == "Pod was rejected: Predicate NodeAffinity failed: "
                    + "node(s) didn't match Pod's node affinity/selector"
            )
            #expect(rejection.mayBeStale)
        }
    }

    @Test("the node's name as a field, and the node selector")
    func selectorAndField() {
        let named = NodeSelectorRequirement(key: "metadata.name", operator: "In", values: ["n1"])
        #expect(Self.decide(Self.requiring(named, field: true)) == nil)
        let others = NodeSelectorRequirement(key: "metadata.name", operator: "In", values: ["n2"])
        #expect(Self.decide(Self.requiring(others, field: true))?.reason == "NodeAffinity")
        #expect(Self.decide(Self.pod { $0.spec.nodeSelector = ["zone": "a"] }) == nil)
        #expect(Self.decide(Self.pod { $0.spec.nodeSelector = ["zone": "b"] })?.reason == "NodeAffinity")
    }

    @Test("a pod of another node is refused")
    func nodeName() {
        let rejection = Self.decide(Self.pod { $0.spec.nodeName = "n2" })
        #expect(rejection?.reason == "NodeName")
        #expect(rejection?.mayBeStale == false)
    }

    @Test(
        "a host port is taken once per protocol and address; all addresses overlap with each",
        arguments: [
            (Int32(80), "TCP", "", true), (80, "TCP", "0.0.0.0", true), (80, "TCP", "10.0.0.1", true),
            (80, "TCP", "10.0.0.2", false), (80, "UDP", "", false), (81, "TCP", "", false),
        ] as [(Int32, String, String, Bool)])
    func hostPorts(port: Int32, transport: String, address: String, conflicts: Bool) {
        func pod(_ uid: String, _ port: Int32, _ transport: String, _ address: String) -> Pod {
            Self.pod(uid) {
                $0.spec.containers[0].ports = [
                    ContainerPort(hostPort: port, containerPort: 8080, protocol: transport, hostIP: address)
                ]
            }
        }
        let rejection = Self.decide(
            pod("p", port, transport, address), others: [pod("other", 80, "TCP", "10.0.0.1")])
        #expect(rejection?.reason == (conflicts ? "NodePorts" : nil))
    }

    @Test("only a taint that drives pods away refuses one that is here already, and never a static one")
    func taints() {
        func decide(_ effect: String, _ pod: Pod) -> String? {
            Self.decide(pod, node: Self.node(taints: [Taint(key: "k", value: "v", effect: effect)]))?.reason
        }
        #expect(decide("NoSchedule", Self.pod()) == nil)
        #expect(decide("NoExecute", Self.pod()) == "TaintToleration")
        let tolerant = Self.pod { $0.spec.tolerations = [Toleration(key: "k", value: "v", effect: "NoExecute")] }
        #expect(decide("NoExecute", tolerant) == nil)
        let fromFile = Self.pod { $0.metadata.annotations = ["kubernetes.io/config.source": "file"] }
        #expect(decide("NoExecute", fromFile) == nil)
    }

    @Test("the first check that refuses gives the reason")
    func order() {
        var pod = Self.asking(["cpu": .cores(9)])
        pod.spec.nodeSelector = ["zone": "b"]
        pod.spec.os = PodOS(name: "windows")
        pod.spec.securityContext = PodSecurityContext(sysctls: [Sysctl(name: "vm.x", value: "1")])
        func reason() -> String? { Self.decide(pod)?.reason }
        #expect(reason() == "SysctlForbidden")
        pod.spec.securityContext = nil
        #expect(reason() == "PodOSNotSupported")
        pod.spec.os = nil
        #expect(reason() == "OutOfcpu")
        pod.spec.containers[0].resources = nil
        #expect(reason() == "NodeAffinity")
    }
}
