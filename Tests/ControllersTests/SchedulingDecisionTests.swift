import KubernetesAPI
import Testing

@testable import Controllers

@Suite("Scheduling decision")
struct SchedulingDecisionTests {
    static func node(
        _ name: String = "n1", cpu: Int64 = 2_000, memory: Int64 = 1_000, pods: Int64 = 10,
        labels: [String: String] = [:], taints: [Taint] = [], unschedulable: Bool = false
    ) -> Node {
        Node(
            metadata: ObjectMeta(name: name, labels: labels),
            spec: NodeSpec(unschedulable: unschedulable ? true : nil, taints: taints),
            status: NodeStatus(allocatable: ["cpu": .milli(cpu), "memory": .bytes(memory), "pods": .count(pods)]))
    }

    static func pod(
        _ name: String = "p", on nodeName: String? = nil, cpu: Int64 = 0, memory: Int64 = 0, hostPort: Int32? = nil,
        hostIP: String? = nil, change: (inout PodSpec) -> Void = { _ in }
    ) -> Pod {
        var requests: [String: Quantity] = [:]
        if cpu > 0 { requests["cpu"] = .milli(cpu) }
        if memory > 0 { requests["memory"] = .bytes(memory) }
        let ports = hostPort.map { [ContainerPort(hostPort: $0, containerPort: 80, hostIP: hostIP)] }
        var spec = PodSpec(
            containers: [Container(name: "c", ports: ports, resources: ResourceRequirements(requests: requests))],
            nodeName: nodeName)
        change(&spec)
        return Pod(metadata: ObjectMeta(name: name, namespace: "ns", uid: "uid-\(name)"), spec: spec)
    }

    private func decide(_ pod: Pod, _ nodes: [Node] = [node()], _ pods: [Pod] = []) -> SchedulingDecision {
        SchedulingDecision.decide(pod, nodes: nodes, pods: pods + [pod])
    }

    private func refused(_ reasons: String, of count: Int = 1) -> SchedulingDecision {
        .unschedulable(message: "0/\(count) nodes are available: \(reasons).")
    }

    @Test("a pod that fits is bound")
    func fits() {
        #expect(decide(Self.pod(cpu: 2_000, memory: 1_000)) == .bind(nodeName: "n1"))
    }

    @Test("without nodes the message says so")
    func noNodes() {
        #expect(decide(Self.pod(), []) == .unschedulable(message: "no nodes available to schedule pods"))
    }

    @Test("pods of other schedulers, bound, finished and leaving ones are left alone")
    func notOurs() {
        #expect(decide(Self.pod { $0.schedulerName = "mine" }) == .notOurs)
        #expect(decide(Self.pod { $0.schedulerName = "default-scheduler" }) == .bind(nodeName: "n1"))
        #expect(decide(Self.pod(on: "n1")) == .notOurs)
        var leaving = Self.pod()
        leaving.metadata.deletionTimestamp = Timestamp(seconds: 1)
        #expect(decide(leaving) == .notOurs)
        var failed = Self.pod()
        failed.status = PodStatus(phase: "Failed")
        #expect(decide(failed) == .notOurs)
    }

    @Test("a gated pod waits")
    func gated() {
        #expect(decide(Self.pod { $0.schedulingGates = [PodSchedulingGate(name: "g")] }) == .gated(gates: ["g"]))
    }

    @Test("what running pods have requested is gone; finished pods have given it back")
    func room() {
        let other = Self.pod("o", on: "n1", cpu: 1_500, memory: 900)
        #expect(
            decide(Self.pod(cpu: 501, memory: 101), [Self.node()], [other])
                == refused("1 Insufficient cpu, 1 Insufficient memory"))
        #expect(decide(Self.pod(cpu: 500, memory: 100), [Self.node()], [other]) == .bind(nodeName: "n1"))
        var finished = other
        finished.status = PodStatus(phase: "Succeeded")
        #expect(decide(Self.pod(cpu: 2_000), [Self.node()], [finished]) == .bind(nodeName: "n1"))
    }

    @Test("a full node, and a resource no node has")
    func counts() {
        let others = (0..<2).map { Self.pod("o\($0)", on: "n1") }
        #expect(decide(Self.pod(), [Self.node(pods: 2)], others) == refused("1 Too many pods"))
        let gpu = Self.pod { $0.containers[0].resources = ResourceRequirements(limits: ["example.com/gpu": .count(1)]) }
        #expect(decide(gpu) == refused("1 Insufficient example.com/gpu"))
    }

    @Test("requests too large to add up are refused, not wrapped around")
    func overflow() {
        let huge = Self.pod("o", on: "n1", memory: .max)
        #expect(
            decide(Self.pod(memory: .max), [Self.node(memory: .max - 1)], [huge]) == refused("1 Insufficient memory"))
    }

    @Test(
        "host ports collide on the same address or with a wildcard only",
        arguments: [
            (nil, nil, true), ("10.0.0.1", nil, true), ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false), ("0.0.0.0", "10.0.0.2", true),
        ] as [(String?, String?, Bool)])
    func ports(first: String?, second: String?, collides: Bool) {
        let other = Self.pod("o", on: "n1", hostPort: 80, hostIP: first)
        let expected: SchedulingDecision =
            collides ? refused("1 node(s) didn't have free ports for the requested pod ports") : .bind(nodeName: "n1")
        #expect(decide(Self.pod(hostPort: 80, hostIP: second), [Self.node()], [other]) == expected)
        #expect(decide(Self.pod(hostPort: 81, hostIP: second), [Self.node()], [other]) == .bind(nodeName: "n1"))
    }

    @Test("a node that is short of something takes no pods that it would refuse")
    func pressure() {
        var node = Self.node()
        node.status?.conditions = [NodeCondition(type: "DiskPressure", status: "True")]
        #expect(decide(Self.pod(), [node]) == refused("1 node(s) had condition {DiskPressure: True}"))
        let tolerant = Self.pod {
            $0.tolerations = [Toleration(key: "node.kubernetes.io/disk-pressure", operator: "Exists")]
        }
        #expect(decide(tolerant, [node]) == .bind(nodeName: "n1"))
        node.status?.conditions = [NodeCondition(type: "MemoryPressure", status: "True")]
        #expect(decide(Self.pod(), [node]) == refused("1 node(s) had condition {MemoryPressure: True}"))
        #expect(decide(Self.pod(cpu: 500), [node]) == .bind(nodeName: "n1"))
        node.status?.conditions = [NodeCondition(type: "DiskPressure", status: "False")]
        #expect(decide(Self.pod(), [node]) == .bind(nodeName: "n1"))
    }

    @Test("a cordoned node takes only pods that tolerate it")
    func cordoned() {
        let node = Self.node(unschedulable: true)
        #expect(decide(Self.pod(), [node]) == refused("1 node(s) were unschedulable"))
        let tolerant = Self.pod {
            $0.tolerations = [Toleration(key: "node.kubernetes.io/unschedulable", operator: "Exists")]
        }
        #expect(decide(tolerant, [node]) == .bind(nodeName: "n1"))
    }

    @Test(
        "tolerations match by key, value, operator and effect",
        arguments: [
            (Toleration(key: "k", operator: "Equal", value: "v", effect: "NoSchedule"), true),
            (Toleration(key: "k", value: "v"), true), (Toleration(key: "k", operator: "Exists"), true),
            (Toleration(operator: "Exists"), true), (Toleration(key: "k", value: "other"), false),
            (Toleration(key: "x", operator: "Exists"), false), (Toleration(value: "v"), false),
            (Toleration(key: "k", operator: "Exists", effect: "NoExecute"), false),
            (Toleration(key: "k", operator: "Gt", value: "v"), false),
        ])
    func tolerations(toleration: Toleration, tolerated: Bool) {
        let node = Self.node(taints: [Taint(key: "k", value: "v", effect: "NoSchedule")])
        let pod = Self.pod { $0.tolerations = [toleration] }
        #expect(
            decide(pod, [node])
                == (tolerated ? .bind(nodeName: "n1") : refused("1 node(s) had untolerated taint {k: v}")))
    }

    @Test("a NoExecute taint keeps pods away, a PreferNoSchedule taint only makes a node second choice")
    func taintEffects() {
        let hard = Self.node("a", taints: [Taint(key: "node.kubernetes.io/not-ready", effect: "NoExecute")])
        #expect(
            decide(Self.pod(), [hard]) == refused("1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }"))
        let soft = Self.node("a", taints: [Taint(key: "k", effect: "PreferNoSchedule")])
        #expect(decide(Self.pod(), [soft]) == .bind(nodeName: "a"))
        #expect(decide(Self.pod(), [soft, Self.node("b", cpu: 10)]) == .bind(nodeName: "b"))
    }

    @Test(
        "node affinity operators",
        arguments: [
            ("In", ["x", "a"], true), ("In", ["x"], false), ("NotIn", ["x"], true), ("NotIn", ["a"], false),
            ("Exists", [], true), ("DoesNotExist", [], false), ("Future", ["a"], false),
        ] as [(String, [String], Bool)])
    func affinity(operation: String, values: [String], matches: Bool) {
        let pod = Self.pod { $0.affinity = Self.required(key: "zone", operation, values) }
        #expect((decide(pod, [Self.node(labels: ["zone": "a"])]) == .bind(nodeName: "n1")) == matches)
    }

    @Test(
        "Gt and Lt compare numbers and nothing else",
        arguments: [
            ("Gt", ["4"], "5", true), ("Gt", ["5"], "5", false), ("Lt", ["10"], "9", true), ("Lt", ["9"], "10", false),
            ("Gt", ["4"], "five", false), ("Gt", ["x"], "5", false), ("Gt", [], "5", false),
            ("Gt", ["1", "2"], "5", false),
        ] as [(String, [String], String, Bool)])
    func numbers(operation: String, values: [String], label: String, matches: Bool) {
        let pod = Self.pod { $0.affinity = Self.required(key: "n", operation, values) }
        #expect((decide(pod, [Self.node(labels: ["n": label])]) == .bind(nodeName: "n1")) == matches)
    }

    @Test("an absent label satisfies NotIn and DoesNotExist; no terms and empty terms match nothing")
    func affinityEdges() {
        #expect(decide(Self.pod { $0.affinity = Self.required(key: "z", "NotIn", ["a"]) }) == .bind(nodeName: "n1"))
        #expect(decide(Self.pod { $0.affinity = Self.required(key: "z", "DoesNotExist", []) }) == .bind(nodeName: "n1"))
        let mismatch = refused("1 node(s) didn't match Pod's node affinity/selector")
        for terms in [[], [NodeSelectorTerm()]] {
            let pod = Self.pod {
                $0.affinity = Affinity(
                    nodeAffinity: NodeAffinity(
                        requiredDuringSchedulingIgnoredDuringExecution: NodeSelector(nodeSelectorTerms: terms)))
            }
            #expect(decide(pod) == mismatch)
        }
        #expect(decide(Self.pod { $0.nodeSelector = ["z": "a"] }) == mismatch)
        #expect(
            decide(Self.pod { $0.nodeSelector = ["z": "a"] }, [Self.node(labels: ["z": "a"])]) == .bind(nodeName: "n1"))
    }

    @Test("a node may be asked for by its name")
    func matchFields() {
        let term = NodeSelectorTerm(
            matchFields: [NodeSelectorRequirement(key: "metadata.name", operator: "In", values: ["b"])])
        let pod = Self.pod {
            $0.affinity = Affinity(
                nodeAffinity: NodeAffinity(
                    requiredDuringSchedulingIgnoredDuringExecution: NodeSelector(nodeSelectorTerms: [term])))
        }
        #expect(decide(pod, [Self.node("a"), Self.node("b")]) == .bind(nodeName: "b"))
    }

    @Test("among several nodes the preferred one wins, then the one with more room, then the first by name")
    func choice() {
        let nodes = [Self.node("b"), Self.node("a"), Self.node("c", labels: ["z": "x"])]
        #expect(decide(Self.pod(), nodes) == .bind(nodeName: "a"))
        #expect(decide(Self.pod(cpu: 10), nodes, [Self.pod("o", on: "a", cpu: 500)]) == .bind(nodeName: "b"))
        let preferring = Self.pod {
            let term = NodeSelectorTerm(
                matchExpressions: [NodeSelectorRequirement(key: "z", operator: "In", values: ["x"])])
            $0.affinity = Affinity(
                nodeAffinity: NodeAffinity(
                    preferredDuringSchedulingIgnoredDuringExecution: [
                        PreferredSchedulingTerm(weight: 5, preference: term)
                    ]))
        }
        #expect(decide(preferring, nodes) == .bind(nodeName: "c"))
    }

    @Test("reasons of several nodes are counted together")
    func severalNodes() {
        let nodes = [
            Self.node("a", cpu: 1), Self.node("b", cpu: 1), Self.node("c", unschedulable: true),
        ]
        #expect(
            decide(Self.pod(cpu: 10), nodes) == refused("1 node(s) were unschedulable, 2 Insufficient cpu", of: 3))
    }

    private static func required(key: String, _ operation: String, _ values: [String]) -> Affinity {
        let term = NodeSelectorTerm(
            matchExpressions: [NodeSelectorRequirement(key: key, operator: operation, values: values)])
        return Affinity(
            nodeAffinity: NodeAffinity(
                requiredDuringSchedulingIgnoredDuringExecution: NodeSelector(nodeSelectorTerms: [term])))
    }
}
