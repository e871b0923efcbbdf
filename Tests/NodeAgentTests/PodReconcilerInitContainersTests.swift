import KubernetesAPI
import Probes
import Testing

@testable import NodeAgent

struct PodReconcilerInitContainersTests {
    private typealias Fixture = LifecycleFixture

    @Test("what follows a sidecar starts when the sidecar has started")
    func sidecarGate() {
        let pod = Fixture.pod(inits: [Fixture.sidecar("s"), Fixture.container("i")])
        #expect(Fixture.plan(pod, []).actions == [Fixture.start("s")])
        #expect(Fixture.plan(pod, [Fixture.instance("s")]).actions == [Fixture.start("i")])
        #expect(Fixture.plan(pod, [Fixture.instance("s"), Fixture.instance("i")]).actions.isEmpty)
        #expect(
            Fixture.plan(pod, [Fixture.instance("s"), Fixture.instance("i", exit: 0)]).actions
                == [Fixture.start("app")])
    }

    @Test(
        "with a startup probe a sidecar has started when that says so",
        arguments: [(nil, false), (false, false), (true, true)] as [(Bool?, Bool)])
    func startupProbe(verdict: Bool?, starts: Bool) {
        var sidecar = Fixture.sidecar("s")
        sidecar.startupProbe = Probe()
        let pod = Fixture.pod(inits: [sidecar])
        let probes = ProbeVerdicts(started: verdict.map { ["s-0": $0] } ?? [:])
        let plan = Fixture.plan(pod, [Fixture.instance("s")], probes: probes)
        #expect(plan.actions == (starts ? [Fixture.start("app")] : []))
    }

    @Test("a sidecar that fails its startup probe is killed with the probe's grace, and what follows waits")
    func startupFailed() {
        var sidecar = Fixture.sidecar("s")
        sidecar.startupProbe = Probe(terminationGracePeriodSeconds: 4)
        let pod = Fixture.pod("Never", inits: [sidecar])
        let probes = ProbeVerdicts(failed: ["s-0": .init(kind: .startup)])
        #expect(
            Fixture.plan(pod, [Fixture.instance("s")], probes: probes).actions
                == [Fixture.kill("s", .startupFailed, grace: 4)])
        #expect(Fixture.plan(pod, [Fixture.instance("s", exit: 137)]).actions == [Fixture.start("s", 1)])
    }

    @Test("a sidecar that is not alive is killed, but has started: the app does not wait for it")
    func sidecarNotAlive() {
        let pod = Fixture.pod(inits: [Fixture.sidecar("s")])
        let probes = ProbeVerdicts(failed: ["s-0": .init(kind: .liveness)])
        #expect(
            Fixture.plan(pod, [Fixture.instance("s")], probes: probes).actions
                == [Fixture.kill("s", .livenessFailed), Fixture.start("app")])
    }

    @Test(
        "a sidecar restarts beside running containers whatever the pod's policy and its exit code",
        arguments: [("Never", 0), ("Never", 1), ("OnFailure", 0), ("Always", 1)] as [(String, Int32)])
    func sidecarRestarts(policy: String, exit: Int32) {
        let pod = Fixture.pod(policy, inits: [Fixture.sidecar("s"), Fixture.container("i")])
        let containers = [
            Fixture.instance("s", attempt: 2, exit: exit), Fixture.instance("i", exit: 0), Fixture.instance(),
        ]
        #expect(Fixture.plan(pod, containers).actions == [Fixture.start("s", 3)])
        // Its record may be gone: it is still wanted.
        #expect(Fixture.plan(pod, Array(containers.dropFirst())).actions == [Fixture.start("s")])
        #expect(Fixture.plan(pod, [containers[0]]).actions == [Fixture.start("s", 3)], "before it was initialized")
    }

    @Test("a crashed sidecar waits out its delay, and holds up nobody else")
    func sidecarBackOff() {
        let pod = Fixture.pod(inits: [Fixture.sidecar("s")])
        var backOff = RestartBackOff()
        backOff.recordTry(PodReconciler.backOffKey(pod, Fixture.sidecar("s")), now: Fixture.now)
        let plan = PodReconciler.plan(
            pod, observed: Fixture.observed([Fixture.instance("s", exit: 1), Fixture.instance(exit: 1)]),
            backOff: backOff, exitSeenAt: ["s": Fixture.now], now: Fixture.now)
        #expect(plan.actions == [Fixture.start("app", 1)])
        #expect(plan.waiting["s"]?.reason == "CrashLoopBackOff")
        #expect(plan.wakeAt == Fixture.now + .seconds(10))
    }

    @Test("a failed init container waits out its delay, and everything after it waits too")
    func initBackOff() {
        let pod = Fixture.pod(inits: [Fixture.container("i")])
        var backOff = RestartBackOff()
        backOff.recordTry(PodReconciler.backOffKey(pod, Fixture.container("i")), now: Fixture.now)
        func plan(_ later: Int) -> PodReconciler.Plan {
            PodReconciler.plan(
                pod, observed: Fixture.observed([Fixture.instance("i", exit: 1)]), backOff: backOff,
                exitSeenAt: ["i": Fixture.now + .seconds(3)], now: Fixture.now + .seconds(later))
        }
        #expect(plan(12).actions.isEmpty)
        #expect(plan(12).waiting.keys.sorted() == ["i"])
        #expect(plan(12).wakeAt == Fixture.now + .seconds(13))
        #expect(plan(13).actions == [Fixture.start("i", 1)])
    }

    @Test("an image that is missing for one init container keeps the pod's own from starting")
    func blockedInit() {
        let pod = Fixture.pod(inits: [Fixture.sidecar("s"), Fixture.container("i")])
        let blocker = PodReconciler.Blocker(reason: "ErrImagePull", message: "", until: nil)
        let plan = PodReconciler.plan(
            pod, observed: Fixture.observed([Fixture.instance("s")]), blockers: ["i": blocker], now: Fixture.now)
        #expect(plan.actions.isEmpty)
        #expect(plan.waiting == ["i": blocker])
    }

    @Test("how far a pod has come is read from the last init container: records of the others may be gone")
    func inference() {
        let pod = Fixture.pod(inits: ["a", "b", "c"].map { Fixture.container($0) })
        #expect(Fixture.plan(pod, [Fixture.instance("b", exit: 0)]).actions == [Fixture.start("c")])
        #expect(Fixture.plan(pod, [Fixture.instance("c", exit: 0)]).actions == [Fixture.start("app")])
        #expect(Fixture.plan(pod, [Fixture.instance("b", exit: 1)]).actions == [Fixture.start("b", 1)])
        #expect(Fixture.plan(pod, [Fixture.instance(exit: 1)]).actions == [Fixture.start("app", 1)])
        #expect(Fixture.plan(pod, [Fixture.instance()]).actions.isEmpty)
        #expect(Fixture.plan(pod, [Fixture.instance("a", exit: 1), Fixture.instance()]).actions.isEmpty)
    }

    @Test("a new sandbox runs every init container again, without delay")
    func newSandbox() {
        let pod = Fixture.pod(inits: [Fixture.container("a"), Fixture.sidecar("s")])
        let old = [
            Fixture.instance("a", exit: 0, sandbox: "old"), Fixture.instance("s", exit: 137, sandbox: "old"),
            Fixture.instance(exit: 137, sandbox: "old"),
        ]
        #expect(Fixture.plan(pod, old).actions == [Fixture.start("a", 1)])
        let again = Fixture.instance("a", attempt: 1, exit: 0)
        #expect(Fixture.plan(pod, old + [again]).actions == [Fixture.start("s", 1)])
        #expect(
            Fixture.plan(pod, old + [again, Fixture.instance("s", attempt: 1)]).actions == [Fixture.start("app", 1)])
    }

    @Test("an init container that ran out of memory failed, whatever its exit code")
    func outOfMemory() {
        var instance = Fixture.instance("i", exit: 0)
        instance.state = .exited(ContainerStateTerminated(exitCode: 0, reason: "OOMKilled"))
        let inits = [Fixture.container("i")]
        #expect(Fixture.plan(Fixture.pod("OnFailure", inits: inits), [instance]).actions == [Fixture.start("i", 1)])
        #expect(Fixture.plan(Fixture.pod("Never", inits: inits), [instance]).isFinished)
    }

    @Test("a changed image restarts a running sidecar, but no init container at its work")
    func definitionChanged() {
        let pod = Fixture.pod(inits: [Fixture.sidecar("s"), Fixture.container("i")])
        let containers = [Fixture.instance("s", image: "old"), Fixture.instance("i", image: "old")]
        #expect(Fixture.plan(pod, containers).actions == [Fixture.kill("s", .definitionChanged)])
    }

    @Test("an init container that was made but never started makes way for the next")
    func created() {
        let pod = Fixture.pod("Never", inits: [Fixture.container("i")])
        #expect(
            Fixture.plan(pod, [Fixture.created("i")]).actions == [
                Fixture.kill("i", .neverStarted, grace: 0), Fixture.remove("i"), Fixture.start("i", 1),
            ])
    }
}
