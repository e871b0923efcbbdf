import KubernetesAPI
import NodeAgent
import Testing

struct PodStatusBuilderTests {
    private static let now = Timestamp(seconds: 1000, nanoseconds: 5)

    private static func pod(initContainers: [String] = [], status: PodStatus? = nil) -> Pod {
        Pod(
            metadata: ObjectMeta(name: "p", namespace: "ns", uid: "u", generation: 3),
            spec: PodSpec(
                initContainers: initContainers.map { Container(name: $0, image: "img") },
                containers: [Container(name: "app", image: "img")]),
            status: status)
    }

    private static func instance(_ name: String = "app", attempt: UInt32 = 0, exit: Int32? = nil)
        -> ContainerObservation
    {
        ContainerObservation(
            id: "\(name)-\(attempt)", sandboxID: "s", name: name, attempt: attempt, definitionHash: "\(name)|img",
            state: exit.map { .exited(ContainerStateTerminated(exitCode: $0)) }
                ?? .running(startedAt: Timestamp(seconds: 900, nanoseconds: 7)))
    }

    private static func build(
        _ pod: Pod = pod(), _ containers: [ContainerObservation] = [], waiting: [String: PodReconciler.Blocker] = [:],
        finished: Bool = false, failure: PodRejection? = nil
    ) -> PodStatus {
        PodStatusBuilder.build(
            .init(
                pod: pod, observation: PodObservation(sandboxID: "s", containers: containers), waiting: waiting,
                isFinished: finished, failure: failure, podIPs: ["10.0.0.2", "fd00::2"], hostIPs: ["192.0.2.1"],
                now: now))
    }

    private static func condition(_ status: PodStatus, _ type: String) -> String? {
        status.conditions?.first { $0.type == type }?.status
    }

    @Test("a pod with nothing yet is pending, its container being created")
    func pending() {
        let status = Self.build()
        #expect(status.phase == "Pending")
        #expect(status.containerStatuses?.first?.state?.waiting?.reason == "ContainerCreating")
        #expect(status.startTime == Timestamp(seconds: 1000))
        #expect(status.observedGeneration == 3)
        #expect(Self.condition(status, "Ready") == "False")
        #expect(Self.condition(status, "PodScheduled") == "True")
    }

    @Test("a running pod is ready, with its addresses and times in whole seconds")
    func running() {
        let status = Self.build(Self.pod(), [Self.instance(attempt: 2)])
        #expect(status.phase == "Running")
        #expect(status.podIP == "10.0.0.2")
        #expect(status.podIPs?.map(\.ip) == ["10.0.0.2", "fd00::2"])
        #expect(status.hostIP == "192.0.2.1")
        let container = status.containerStatuses?.first
        #expect(container?.ready == true)
        #expect(container?.restartCount == 2)
        #expect(container?.containerID == "swiftlet://app-2")
        #expect(container?.state?.running?.startedAt == Timestamp(seconds: 900))
        for type in ["Ready", "ContainersReady", "Initialized", "PodReadyToStartContainers"] {
            #expect(Self.condition(status, type) == "True", "\(type)")
        }
    }

    @Test(
        "a finished pod succeeded only when every container did",
        arguments: [(0, "Succeeded"), (1, "Failed"), (137, "Failed")] as [(Int32, String)])
    func finished(exit: Int32, phase: String) {
        let status = Self.build(Self.pod(), [Self.instance(exit: exit)], finished: true)
        #expect(status.phase == phase)
        #expect(status.containerStatuses?.first?.state?.terminated?.exitCode == exit)
        #expect(Self.condition(status, "Ready") == "False")
    }

    @Test("a terminal phase is for ever", arguments: ["Succeeded", "Failed"])
    func terminal(phase: String) {
        let pod = Self.pod(status: PodStatus(phase: phase))
        #expect(Self.build(pod, [Self.instance()]).phase == phase)
    }

    @Test("a pod that the node refused has failed, and says why")
    func refused() {
        let status = Self.build(failure: PodRejection(reason: "Evicted", message: "no memory"))
        #expect(status.phase == "Failed")
        #expect(status.reason == "Evicted")
        #expect(status.message == "no memory")
    }

    @Test("a crashed container that waits shows why, and its end as the last state")
    func crashLoop() {
        let blocker = PodReconciler.Blocker(reason: "CrashLoopBackOff", message: "back-off 10s", until: nil)
        let status = Self.build(Self.pod(), [Self.instance(exit: 3)], waiting: ["app": blocker])
        let container = status.containerStatuses?.first
        #expect(container?.state?.waiting?.reason == "CrashLoopBackOff")
        #expect(container?.state?.waiting?.message == "back-off 10s")
        #expect(container?.lastState?.terminated?.exitCode == 3)
        #expect(container?.ready == false)
        #expect(status.phase == "Running")
    }

    @Test("the instance before the newest is the last state")
    func lastState() {
        let status = Self.build(Self.pod(), [Self.instance(attempt: 0, exit: 9), Self.instance(attempt: 1)])
        #expect(status.containerStatuses?.first?.lastState?.terminated?.exitCode == 9)
        #expect(status.containerStatuses?.first?.state?.running != nil)
    }

    @Test("until its init containers are done a pod is pending and not initialized")
    func initializing() {
        let pod = Self.pod(initContainers: ["a"])
        let during = Self.build(pod, [Self.instance("a")])
        #expect(during.phase == "Pending")
        #expect(during.containerStatuses?.first?.state?.waiting?.reason == "PodInitializing")
        #expect(Self.condition(during, "Initialized") == "False")
        let after = Self.build(pod, [Self.instance("a", exit: 0), Self.instance()])
        #expect(after.phase == "Running")
        #expect(after.initContainerStatuses?.first?.ready == true)
        #expect(Self.condition(after, "Initialized") == "True")
    }

    @Test("a container that was running and is gone ended in an unknown way", arguments: [true, false])
    func lost(finished: Bool) {
        let before = ContainerStatus(
            name: "app", state: ContainerState(running: ContainerStateRunning(startedAt: Timestamp(seconds: 1))),
            restartCount: 4)
        let status = Self.build(Self.pod(status: PodStatus(containerStatuses: [before])), finished: finished)
        let container = status.containerStatuses?.first
        let end = finished ? container?.state?.terminated : container?.lastState?.terminated
        #expect(end?.exitCode == 137)
        #expect(end?.reason == "ContainerStatusUnknown")
        #expect(container?.restartCount == (finished ? 4 : 5))
        #expect((container?.state?.waiting == nil) == finished)
    }

    @Test("a pod is ready only when its readiness gate is open", arguments: [nil, "False", "True"] as [String?])
    func readinessGate(value: String?) {
        var pod = Self.pod(
            status: value.map { PodStatus(conditions: [PodCondition(type: "example.test/gate", status: $0)]) })
        pod.spec.readinessGates = [PodReadinessGate(conditionType: "example.test/gate")]
        let status = Self.build(pod, [Self.instance()])
        #expect(Self.condition(status, "ContainersReady") == "True")
        #expect(Self.condition(status, "Ready") == (value == "True" ? "True" : "False"))
    }

    @Test("container statuses are sorted by name, and the start time stays")
    func order() {
        var pod = Self.pod(status: PodStatus(startTime: Timestamp(seconds: 5)))
        pod.spec.containers += [Container(name: "z"), Container(name: "a")]
        let status = Self.build(pod)
        #expect(status.containerStatuses?.map(\.name) == ["a", "app", "z"])
        #expect(status.startTime == Timestamp(seconds: 5))
    }

    private static func addresses(
        _ found: [String], host: [String] = ["192.0.2.1"], hostNetwork: Bool = false, before: [String] = []
    ) -> [String]? {
        var pod = pod(status: PodStatus(podIP: before.first, podIPs: before.map { PodIP(ip: $0) }))
        pod.spec.hostNetwork = hostNetwork
        let input = PodStatusBuilder.Input(
            pod: pod, observation: PodObservation(podIPs: found), podIPs: ["198.51.100.9"], hostIPs: host, now: now)
        let status = PodStatusBuilder.build(input)
        #expect(status.podIP == status.podIPs?.first?.ip)
        return status.podIPs?.map(\.ip)
    }

    @Test("a pod has one address of the node's own family and one of the other")
    func families() {
        let found = ["fd00::2", "10.0.0.2", "10.0.0.3"]
        #expect(Self.addresses(found) == ["10.0.0.2", "fd00::2"])
        #expect(Self.addresses(found, host: ["fd00::1"]) == ["fd00::2", "10.0.0.2"])
        #expect(Self.addresses([], before: ["10.0.0.9"]) == ["198.51.100.9"])
    }

    @Test("with the host's network the address never changes, but a second family may come")
    func hostNetwork() {
        #expect(
            Self.addresses(["192.0.2.7"], hostNetwork: true, before: ["192.0.2.1"]) == ["192.0.2.1"])
        #expect(
            Self.addresses(["192.0.2.7", "fd00::7"], hostNetwork: true, before: ["192.0.2.1"])
                == ["192.0.2.1", "fd00::7"])
    }

    @Test("reason and message go with the phase they belong to")
    func staleReason() {
        let before = PodStatus(phase: "Pending", message: "m", reason: "r")
        #expect(Self.build(Self.pod(status: before)).reason == "r")
        let running = Self.build(Self.pod(status: before), [Self.instance()])
        #expect(running.reason == nil)
        #expect(running.message == nil)
    }
}
