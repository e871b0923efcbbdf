import KubernetesAPI
import Testing

@Suite("Types: what follows from a pod")
struct TypesPodTests {
    private func resources(_ requests: [String: Int64] = [:], limits: [String: Int64] = [:]) -> ResourceRequirements {
        ResourceRequirements(limits: limits.mapValues(Quantity.milli), requests: requests.mapValues(Quantity.milli))
    }

    private func pod(_ containers: [ResourceRequirements], initial: [ResourceRequirements] = []) -> PodSpec {
        PodSpec(
            initContainers: initial.map { Container(resources: $0) },
            containers: containers.map { Container(resources: $0) })
    }

    @Test("the QoS class follows from requests and limits")
    func qosClass() {
        let full = ["cpu": Int64(100), "memory": 1000]
        #expect(pod([resources()]).qosClass == .bestEffort)
        #expect(pod([resources(["ephemeral-storage": 1])]).qosClass == .bestEffort)
        #expect(pod([resources(["cpu": 0], limits: ["memory": 0])]).qosClass == .bestEffort)
        #expect(pod([resources(full, limits: full)]).qosClass == .guaranteed)
        #expect(pod([resources(full, limits: full), resources()]).qosClass == .burstable)
        #expect(pod([resources(full, limits: full)], initial: [resources(["cpu": 1])]).qosClass == .burstable)
        #expect(pod([resources(["cpu": 100], limits: ["cpu": 100])]).qosClass == .burstable)
        #expect(pod([resources(limits: full)]).qosClass == .burstable, "defaults have not been applied yet")
        var podLevel = pod([resources()])
        podLevel.resources = resources(full, limits: full)
        #expect(podLevel.qosClass == .guaranteed)
        #expect(Pod(spec: podLevel, status: PodStatus(qosClass: "Burstable")).qosClass == .burstable)
    }

    @Test("requests are the larger of running and starting, with sidecars beside both, plus the overhead")
    func totalRequests() {
        var spec = pod([resources(["cpu": 100]), resources(["cpu": 200, "memory": 5])])
        spec.initContainers = [
            Container(resources: resources(["cpu": 150])),
            Container(resources: resources(["cpu": 50]), restartPolicy: "Always"),
            Container(resources: resources(["cpu": 290])),
        ]
        #expect(spec.totalRequests["cpu"] == .milli(350), "100 + 200 + sidecar 50 exceeds 290 + 50")
        spec.initContainers?[2].resources = resources(["cpu": 400])
        #expect(spec.totalRequests["cpu"] == .milli(450), "init 400 beside sidecar 50")
        spec.overhead = ["cpu": .milli(7), "memory": .milli(1)]
        #expect(spec.totalRequests == ["cpu": .milli(457), "memory": .milli(6)])
        spec.resources = resources(["cpu": 1000])
        #expect(spec.totalRequests["cpu"] == .milli(1007))
        #expect(spec.sidecars.count == 1)
    }

    @Test("the overhead widens only limits that exist")
    func totalLimits() {
        var spec = pod([resources(limits: ["cpu": 100]), resources(limits: ["cpu": 100, "memory": 5])])
        spec.overhead = ["cpu": .milli(1), "hugepages-2Mi": .milli(1)]
        #expect(spec.totalLimits == ["cpu": .milli(201), "memory": .milli(5)])
        #expect(spec.isLimited("cpu") && !spec.isLimited("memory"))
        spec.resources = resources(limits: ["memory": 9])
        #expect(spec.isLimited("memory"))
    }

    @Test("sums of the largest quantities do not trap")
    func hugeQuantities() throws {
        let huge = try Quantity(parsing: "9223372036854775807")
        let part = ResourceRequirements(limits: ["cpu": huge], requests: ["cpu": huge])
        let spec = pod([part, part, part], initial: [part])
        #expect(spec.totalRequests["cpu"]?.value == Int64.max)
        #expect(spec.totalLimits["cpu"]?.milliValue == Int64.max)
    }

    @Test("a condition keeps its transition time while its status stays")
    func conditions() {
        var status = PodStatus()
        let early = Timestamp(seconds: 10)
        let late = Timestamp(seconds: 20)
        func set(_ value: String, _ time: Timestamp, reason: String? = nil) -> Bool {
            status.setCondition(
                PodCondition(type: "Ready", status: value, lastTransitionTime: time, reason: reason))
        }
        let changes = [
            set("False", early), set("False", late), set("False", late, reason: "x"),
        ]
        #expect(changes == [true, false, true])
        #expect(status.condition(.ready)?.lastTransitionTime == early)
        #expect(set("True", late))
        #expect(status.condition(.ready)?.lastTransitionTime == late)
        #expect(status.isTrue(.ready) && !status.isTrue(.initialized))
        let removals = [status.removeCondition(.ready), status.removeCondition(.ready)]
        #expect(removals == [true, false])
    }

    @Test("a port is found by number or by name")
    func ports() {
        let container = Container(ports: [
            ContainerPort(name: "http", containerPort: 8080), ContainerPort(name: "bad", containerPort: 0),
        ])
        #expect(container.portNumber("http") == 8080)
        #expect(container.portNumber(70000) == nil && container.portNumber(0) == nil && container.portNumber(-1) == nil)
        #expect(container.portNumber("bad") == nil && container.portNumber("none") == nil)
        let spec = PodSpec(containers: [
            Container(ports: [ContainerPort(name: "dns", containerPort: 53, protocol: "UDP")]),
            Container(ports: [ContainerPort(name: "dns", containerPort: 5353, protocol: "TCP")]),
        ])
        #expect(spec.portNumber("dns") == 5353 && spec.portNumber("dns", protocol: "UDP") == 53)
    }

    @Test("a pod is named by namespace and name")
    func key() {
        let pod = Pod(metadata: ObjectMeta(name: "web", namespace: "shop"))
        #expect(pod.key == "shop/web")
        #expect(pod.fullName == "web_shop")
    }

    @Test(
        "variables expand as in Kubernetes",
        arguments: [
            ("$(A)", "1"), ("x$(A)y$(B)", "x1y2"), ("$$(A)", "$(A)"), ("$$$(A)", "$1"), ("$(NONE)", "$(NONE)"),
            ("$A", "$A"), ("$(A", "$(A"), ("$", "$"), ("", ""), ("$$", "$"), ("$()", "$()"), ("$(A)$", "1$"),
            ("$(LOOP)", "$(A)"), ("é$(A)é", "é1é"), ("$(A$(B)", "$(A$(B)"), ("($(A))", "(1)"),
        ])
    func expansion(text: String, expected: String) throws {
        let values = ["A": "1", "B": "2", "LOOP": "$(A)"]
        #expect(try VariableExpansion.expand(text) { values[$0] } == expected)
    }

    @Test("an expansion that explodes is an error, and many open references cost no more than their length")
    func expansionLimits() throws {
        let big = String(repeating: "x", count: 1000)
        let text = String(repeating: "$(A)", count: 2000)
        #expect(throws: VariableExpansionError.tooLong(maximumBytes: VariableExpansion.maximumBytes)) {
            try VariableExpansion.expand(text) { _ in big }
        }
        let open = String(repeating: "$(", count: 200_000)
        #expect(try VariableExpansion.expand(open) { _ in nil } == open)
    }

    @Test("subPathExpr needs every variable to have a value")
    func expansionRequiringValues() throws {
        #expect(throws: VariableExpansionError.undefined(name: "B")) {
            try VariableExpansion.expandRequiringValues("$(A)/$(B)") { $0 == "A" ? "1" : "" }
        }
        #expect(try VariableExpansion.expandRequiringValues("$(A)/x") { $0 == "A" ? "1" : nil } == "1/x")
    }
}
