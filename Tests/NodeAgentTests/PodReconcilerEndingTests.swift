import KubernetesAPI
import Testing

@testable import NodeAgent

struct PodReconcilerEndingTests {
    private typealias Fixture = LifecycleFixture

    @Test("sidecars and debug containers do not keep a pod alive: they are killed, the last sidecar first")
    func onlySidecarsLeft() {
        var pod = Fixture.pod("OnFailure", inits: [Fixture.sidecar("s1"), Fixture.sidecar("s2")])
        pod.spec.ephemeralContainers = [EphemeralContainer(name: "e")]
        let app = Fixture.instance(exit: 0)
        let plan = Fixture.plan(
            pod, [Fixture.instance("s1"), Fixture.instance("s2"), app, Fixture.instance("e")])
        #expect(
            plan.actions == ["e", "s2", "s1"].map { Fixture.kill($0, .onlySidecarsLeft) })
        #expect(!plan.isFinished)
        let sidecars = [Fixture.instance("s1", exit: 143), Fixture.instance("s2", exit: 1)]
        let after = Fixture.plan(pod, sidecars + [app, Fixture.instance("e", exit: 0)])
        #expect(after.isFinished)
        #expect(after.actions.isEmpty, "a sidecar does not restart at the end")
    }

    @Test("a pod goes on while one of its containers runs, or will")
    func goesOn() {
        let pod = Fixture.pod("OnFailure", apps: [Fixture.container("a"), Fixture.container("b")])
        #expect(!Fixture.plan(pod, [Fixture.instance("a", exit: 0), Fixture.instance("b")]).isFinished)
        #expect(!Fixture.plan(pod, [Fixture.instance("a", exit: 0), Fixture.instance("b", exit: 1)]).isFinished)
        #expect(!Fixture.plan(pod, [Fixture.instance("a", exit: 0)]).isFinished)
        #expect(Fixture.plan(pod, [Fixture.instance("a", exit: 0), Fixture.instance("b", exit: 0)]).isFinished)
    }

    @Test("an init container that failed for good ends the sidecars before it, then the pod")
    func failedInit() {
        let pod = Fixture.pod("Never", inits: [Fixture.sidecar("s"), Fixture.container("i")])
        let failed = Fixture.instance("i", exit: 2)
        let plan = Fixture.plan(pod, [Fixture.instance("s"), failed])
        #expect(plan.actions == [Fixture.kill("s", .initializationFailed)])
        #expect(!plan.isFinished)
        #expect(Fixture.plan(pod, [Fixture.instance("s", exit: 0), failed]).isFinished)
    }

    @Test(
        "an init container's own policy and rules decide whether its failure is the end",
        arguments: [
            ("Never", "OnFailure", nil, false), ("Always", "Never", nil, true), ("Never", "Never", 2, false),
            ("Never", "Never", 3, true),
        ] as [(String, String, Int32?, Bool)])
    func initPolicy(pod: String, own: String, code: Int32?, ends: Bool) {
        let rules = code.map { [Fixture.rule("Restart", "In", $0)] }
        let pod = Fixture.pod(pod, inits: [Fixture.container("i", policy: own, rules: rules)])
        let plan = Fixture.plan(pod, [Fixture.instance("i", exit: 2)])
        #expect(plan.isFinished == ends)
        #expect(plan.actions == (ends ? [] : [Fixture.start("i", 1)]))
    }

    @Test(
        "a pod that never restarts is not run again without its sandbox, once anything of it ran",
        arguments: ["Never", "OnFailure", "Always"])
    func sandboxLost(policy: String) {
        let pod = Fixture.pod(policy, inits: [Fixture.container("i")])
        let create = [PodReconciler.Action.createSandbox(attempt: 1)]
        #expect(Fixture.plan(pod, [], sandbox: nil).actions == create, "nothing ran yet")
        let lost = Fixture.plan(pod, [Fixture.instance("i", exit: 0)], sandbox: nil)
        #expect(lost.isFinished == (policy == "Never"))
        #expect(lost.actions == (policy == "Never" ? [] : create))
    }

    @Test("neither is it after a reboot that lost the records: status and log files tell that it ran")
    func reboot() {
        let pod = Fixture.pod("Never", status: PodStatus(containerStatuses: [Fixture.running("app")]))
        #expect(Fixture.plan(pod, [], sandbox: nil).isFinished)
        let logs = PodReconciler.plan(
            Fixture.pod("Never"), observed: PodObservation(), firstAttempts: ["app": 1], now: Fixture.now)
        #expect(logs.isFinished)
        let waiting = ContainerStatus(name: "app", state: ContainerState(waiting: ContainerStateWaiting()))
        let fresh = Fixture.pod("Never", status: PodStatus(containerStatuses: [waiting]))
        #expect(!Fixture.plan(fresh, [], sandbox: nil).isFinished)
    }

    @Test(
        "what the status says of a lost container decides with its policy whether it runs again",
        arguments: [
            ("OnFailure", LifecycleFixture.ended(0), true), ("OnFailure", LifecycleFixture.ended(1), false),
            ("OnFailure", ContainerState(running: ContainerStateRunning()), false),
            ("Always", LifecycleFixture.ended(0), false),
        ] as [(String, ContainerState, Bool)])
    func lostContainer(policy: String, state: ContainerState, isOver: Bool) {
        let pod = Fixture.pod(
            policy, status: PodStatus(containerStatuses: [ContainerStatus(name: "app", state: state)]))
        let plan = Fixture.plan(pod, [])
        #expect(plan.isFinished == isOver)
        #expect(plan.actions == (isOver ? [] : [Fixture.start("app", 1)]))
    }

    @Test("a container's own policy can end a pod that always restarts")
    func containerPolicy() {
        let pod = Fixture.pod("Always", apps: [Fixture.container("app", policy: "Never")])
        #expect(Fixture.plan(pod, [Fixture.instance(exit: 1)]).isFinished)
    }
}
