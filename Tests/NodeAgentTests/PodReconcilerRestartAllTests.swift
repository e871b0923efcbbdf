import KubernetesAPI
import Testing

@testable import NodeAgent

struct PodReconcilerRestartAllTests {
    private typealias Fixture = LifecycleFixture

    private static func pod(status: PodStatus? = nil) -> Pod {
        Fixture.pod(
            "Never", inits: [Fixture.sidecar("s"), Fixture.container("i")],
            apps: [
                Fixture.container("a", policy: "Never", rules: [Fixture.rule("RestartAllContainers", "In", 42)]),
                Fixture.container("b"),
            ], status: status)
    }

    private static let containers = [
        Fixture.instance("s"), Fixture.instance("i", exit: 0), Fixture.instance("a", exit: 42), Fixture.instance("b"),
    ]

    @Test("all containers are killed without grace and removed, the one that set it off last")
    func order() {
        let plan = Fixture.plan(Self.pod(), Self.containers)
        #expect(plan.restartingAll)
        #expect(
            plan.actions == [
                Fixture.kill("b", .restartAllContainers, grace: 0), Fixture.remove("b"),
                Fixture.kill("s", .restartAllContainers, grace: 0), Fixture.remove("s"), Fixture.remove("i"),
                Fixture.remove("a"),
            ])
    }

    @Test("an agent that dies half-way goes on where it was, and another exit code sets off nothing")
    func continued() {
        let plan = Fixture.plan(Self.pod(), [Fixture.instance("a", exit: 42)])
        #expect(plan.actions == [Fixture.remove("a")])
        #expect(!Fixture.plan(Self.pod(), [Fixture.instance("a", exit: 41), Fixture.instance("b")]).restartingAll)
        let old = [Fixture.instance("a", exit: 42), Fixture.instance("a", attempt: 1), Fixture.instance("b")]
        #expect(!Fixture.plan(Self.pod(), old).restartingAll, "the instance after it runs")
    }

    @Test("then the pod starts over with its init containers, each attempt one more than before")
    func startsOver() {
        let during = Fixture.status(Self.pod(), Self.containers, restartingAll: true)
        let pod = Self.pod(status: during)
        let plan = Fixture.plan(pod, [])
        #expect(!plan.restartingAll)
        #expect(plan.actions == [Fixture.start("s", 1)])

        let after = Self.pod(status: Fixture.status(pod, []))
        #expect(after.status?.phase == "Running")
        #expect(Fixture.plan(after, []).actions == [Fixture.start("s", 1)], "it was counted only once")
        let ready = [Fixture.instance("s", attempt: 1), Fixture.instance("i", attempt: 1, exit: 0)]
        #expect(
            Fixture.plan(after, ready).actions == [Fixture.start("a", 1), Fixture.start("b", 1)],
            "also those whose policy would not restart them")
        #expect(Fixture.plan(after, [], sandbox: nil).actions == [.createSandbox(attempt: 1)])
    }

    @Test("the container that keeps setting it off is delayed like any that crashes")
    func backOff() {
        let pod = Fixture.pod(apps: [
            Fixture.container("a", policy: "Never", rules: [Fixture.rule("RestartAllContainers", "NotIn", 0)]),
            Fixture.container("b"),
        ])
        var backOff = RestartBackOff()
        backOff.recordTry(PodReconciler.backOffKey(pod, pod.spec.containers[0]), now: Fixture.now)
        let plan = PodReconciler.plan(
            pod, observed: Fixture.observed([]), backOff: backOff, exitSeenAt: ["a": Fixture.now],
            firstAttempts: ["a": 2, "b": 2], now: Fixture.now + .seconds(1))
        #expect(plan.actions == [Fixture.start("b", 2)])
        #expect(plan.waiting["a"]?.reason == "CrashLoopBackOff")
    }
}
