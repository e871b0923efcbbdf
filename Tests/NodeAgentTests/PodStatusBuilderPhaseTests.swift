import KubernetesAPI
import Testing

@testable import NodeAgent

struct PodStatusBuilderPhaseTests {
    private typealias Fixture = LifecycleFixture

    private static func phase(
        _ policy: String = "Always", inits: [Container] = [], apps: [Container] = [Fixture.container("app")],
        _ containers: [ContainerObservation], finished: Bool = false, before: String? = nil
    ) -> String? {
        let pod = Fixture.pod(policy, inits: inits, apps: apps, status: PodStatus(phase: before))
        return Fixture.status(pod, containers, finished: finished).phase
    }

    @Test("a pod is pending until each of its own containers was started once, and running from then on")
    func pending() {
        let apps = [Fixture.container("a"), Fixture.container("b")]
        #expect(Self.phase(apps: apps, [Fixture.instance("a")]) == "Pending")
        #expect(Self.phase(apps: apps, [Fixture.instance("a"), Fixture.instance("b")]) == "Running")
        #expect(Self.phase(apps: apps, [Fixture.instance("a", exit: 1), Fixture.instance("b", exit: 1)]) == "Running")
        #expect(Self.phase(apps: apps, [Fixture.instance("a"), Fixture.created("b")]) == "Pending")
    }

    @Test("a running or failed init container that may restart leaves the pod pending")
    func initializing() {
        let inits = [Fixture.container("i")]
        #expect(Self.phase(inits: inits, [Fixture.instance("i")]) == "Pending")
        #expect(Self.phase("OnFailure", inits: inits, [Fixture.instance("i", exit: 1)]) == "Pending")
        #expect(Self.phase("Never", inits: inits, [Fixture.instance("i", exit: 1)], finished: true) == "Failed")
        let rule = Fixture.rule("Restart", "In", 1)
        let ruled = [Fixture.container("i", policy: "Never", rules: [rule])]
        #expect(Self.phase("Never", inits: ruled, [Fixture.instance("i", exit: 1)]) == "Pending")
    }

    @Test("a sidecar that has not started keeps the pod pending, only until the pod's own containers have been started")
    func sidecars() {
        var sidecar = Fixture.sidecar("s")
        sidecar.startupProbe = Probe()
        #expect(Self.phase(inits: [sidecar], [Fixture.instance("s")]) == "Pending")
        #expect(Self.phase(inits: [sidecar], [Fixture.instance("s"), Fixture.instance()]) == "Running")
        #expect(Self.phase(inits: [sidecar], [Fixture.instance("s", exit: 1), Fixture.instance()]) == "Running")
    }

    @Test("the end of a pod is made by its own containers: how sidecars ended does not count")
    func sidecarEnds() {
        let inits = [Fixture.sidecar("s")]
        let containers = [Fixture.instance("s", exit: 137), Fixture.instance(exit: 0)]
        #expect(Self.phase("Never", inits: inits, containers, finished: true) == "Succeeded")
        let failed = [Fixture.instance("s", exit: 0), Fixture.instance(exit: 1)]
        #expect(Self.phase("Never", inits: inits, failed, finished: true) == "Failed")
        let alive = [Fixture.instance("s"), Fixture.instance(exit: 0)]
        #expect(Self.phase("Never", inits: inits, alive, before: "Running") == "Running")
    }

    @Test(
        "no terminal phase is told before the plan says that nothing will run",
        arguments: [nil, "Pending", "Running"])
    func withheld(before: String?) {
        #expect(Self.phase("Never", [Fixture.instance(exit: 1)], before: before) == before ?? "Pending")
        #expect(Self.phase("Never", [Fixture.instance(exit: 1)], finished: true, before: before) == "Failed")
    }

    @Test("a stopped pod succeeded if all its own containers did, whatever its policy; else it failed")
    func stopped() {
        #expect(Self.phase("Always", [Fixture.instance(exit: 0)], finished: true) == "Succeeded")
        #expect(Self.phase("Always", [Fixture.instance(exit: 143)], finished: true) == "Failed")
        #expect(Self.phase("Always", [], finished: true) == "Failed")
        #expect(Self.phase("Always", [Fixture.instance()], finished: true) == "Failed")
    }

    @Test("a static pod may come back under its UID: it does not fail because it is stopped")
    func staticPod() {
        var pod = Fixture.pod(status: PodStatus(phase: "Running"))
        pod.metadata.annotations = [PodAnnotations.source: "file"]
        #expect(Fixture.status(pod, [Fixture.instance(exit: 143)], finished: true).phase == "Running")
        pod.spec.restartPolicy = "Never"
        #expect(Fixture.status(pod, [Fixture.instance(exit: 0)], finished: true).phase == "Succeeded")
    }

    @Test("neither a failure of the node's nor anything else changes a terminal phase and its reason")
    func sticky() {
        let before = PodStatus(phase: "Succeeded", reason: "r")
        let status = Fixture.status(
            Fixture.pod(status: before), [Fixture.instance()], failure: PodRejection(reason: "Evicted", message: "m"))
        #expect(status.phase == "Succeeded")
        #expect(status.reason == "r")
    }

    @Test("at the end every container that was reached has an end, the others stay as they are")
    func endContainers() {
        let inits = ["a", "b", "c"].map { Fixture.container($0) }
        let early = Fixture.status(Fixture.pod(inits: inits), [Fixture.instance("b")], finished: true)
        #expect(
            early.initContainerStatuses?.map { $0.state?.terminated?.reason } == [
                "ContainerStatusUnknown", "ContainerStatusUnknown", nil,
            ])
        #expect(early.containerStatuses?.first?.state?.waiting != nil, "never reached")
        let nothing = Fixture.status(Fixture.pod(inits: inits), [], finished: true)
        #expect(nothing.initContainerStatuses?.map { $0.state?.terminated?.exitCode } == [137, nil, nil])
        let late = Fixture.status(
            Fixture.pod(inits: inits), inits.map { Fixture.instance($0.name, exit: 0) }, finished: true)
        #expect(late.containerStatuses?.first?.state?.terminated?.exitCode == 137)
        #expect(late.phase == "Failed")
    }
}
