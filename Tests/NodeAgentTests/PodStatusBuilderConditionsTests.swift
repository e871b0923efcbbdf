import KubernetesAPI
import Probes
import Testing

@testable import NodeAgent

struct PodStatusBuilderConditionsTests {
    private typealias Fixture = LifecycleFixture

    @Test("unready sidecars and containers are named in the order of the spec")
    func unready() {
        let apps = [Fixture.container("z"), Fixture.container("a"), Fixture.container("m")]
        let pod = Fixture.pod(inits: [Fixture.container("i"), Fixture.sidecar("s")], apps: apps)
        let status = Fixture.status(pod, [Fixture.instance("m")])
        for type in [PodConditionType.ready, .containersReady] {
            let condition = status.condition(type)
            #expect(condition?.status == "False")
            #expect(condition?.reason == "ContainersNotReady")
            #expect(condition?.message == "containers with unready status: [s z a]")
            #expect(condition?.observedGeneration == 3)
        }
    }

    @Test("a pod is initialized when its init containers succeeded and its sidecars started, and stays so")
    func initialized() {
        var sidecar = Fixture.sidecar("s")
        sidecar.startupProbe = Probe()
        let inits = [Fixture.container("i"), sidecar]
        let done = Fixture.instance("i", exit: 0)
        let waiting = Fixture.status(Fixture.pod(inits: inits), [done, Fixture.instance("s")])
        #expect(waiting.condition(.initialized)?.reason == "ContainersNotInitialized")
        #expect(waiting.condition(.initialized)?.message == "containers with incomplete status: [s]")
        let probes = ProbeVerdicts(started: ["s-0": true])
        let started = Fixture.status(Fixture.pod(inits: inits), [done, Fixture.instance("s")], probes: probes)
        #expect(started.isTrue(.initialized))
        let restarting = Fixture.status(
            Fixture.pod(inits: inits, status: started), [done, Fixture.instance("s", exit: 1)])
        #expect(restarting.isTrue(.initialized))
    }

    @Test(
        "the end of a pod is the reason why it is not ready",
        arguments: [(0, "PodCompleted"), (1, "PodFailed")] as [(Int32, String)])
    func terminal(exit: Int32, reason: String) {
        let status = Fixture.status(Fixture.pod("Never"), [Fixture.instance(exit: exit)], finished: true)
        for type in [PodConditionType.ready, .containersReady] {
            #expect(status.condition(type)?.status == "False")
            #expect(status.condition(type)?.reason == reason)
        }
        #expect(status.isTrue(.initialized))
        #expect(status.condition(.initialized)?.reason == (exit == 0 ? "PodCompleted" : nil))
        #expect(!status.isTrue(.podReadyToStartContainers))
    }

    @Test("a closed readiness gate is told apart from one that nobody set")
    func gates() {
        let before = PodStatus(conditions: [PodCondition(type: "b", status: "False")])
        var pod = Fixture.pod(status: before)
        pod.spec.readinessGates = [PodReadinessGate(conditionType: "a"), PodReadinessGate(conditionType: "b")]
        let status = Fixture.status(pod, [Fixture.instance()])
        #expect(status.isTrue(.containersReady))
        #expect(status.condition(.ready)?.reason == "ReadinessGatesNotReady")
        #expect(
            status.condition(.ready)?.message
                == #"corresponding condition of pod readiness gate "a" does not exist., the status of pod readiness gate "b" is not "True", but False"#
        )
    }

    @Test("the time of a transition moves only with the status")
    func transition() {
        let old = Timestamp(seconds: 1)
        let before = PodStatus(conditions: [
            PodCondition(type: "PodScheduled", status: "True", lastTransitionTime: old),
            PodCondition(type: "Ready", status: "False", lastTransitionTime: old),
        ])
        let status = Fixture.status(Fixture.pod(status: before), [Fixture.instance()])
        #expect(status.condition(.podScheduled)?.lastTransitionTime == old)
        #expect(status.condition(.ready)?.lastTransitionTime == Timestamp(seconds: 1000))
    }

    @Test("a restart of all containers shows while it is under way, only on pods that can have one")
    func restartingAll() {
        let rule = Fixture.rule("RestartAllContainers", "In", 42)
        let apps = [Fixture.container("app", policy: "Never", rules: [rule])]
        let during = Fixture.status(Fixture.pod(apps: apps), [Fixture.instance(exit: 42)], restartingAll: true)
        #expect(during.isTrue(.allContainersRestarting))
        #expect(during.condition(.allContainersRestarting)?.reason == "RestartAllContainersStarted")
        let after = Fixture.status(Fixture.pod(apps: apps, status: during), [])
        #expect(after.condition(.allContainersRestarting)?.status == "False")
        let ended = Fixture.status(Fixture.pod(apps: apps), [Fixture.instance(exit: 1)], finished: true)
        #expect(ended.condition(.allContainersRestarting)?.reason == "PodFailed")
        #expect(Fixture.status(Fixture.pod(), [Fixture.instance()]).condition(.allContainersRestarting) == nil)
    }
}
