import KubernetesAPI
import Probes
import Testing

@testable import NodeAgent

struct PodStatusBuilderContainersTests {
    private typealias Fixture = LifecycleFixture

    @Test(
        "ready and started follow the probes a container has",
        arguments: [
            (false, false, nil, nil, true, true), (true, false, nil, nil, false, true),
            (true, false, nil, true, true, true), (true, false, nil, false, false, true),
            (false, true, nil, nil, false, false), (false, true, true, nil, true, true),
            (false, true, false, nil, false, false), (true, true, true, nil, false, true),
            (true, true, nil, true, false, false), (false, false, nil, false, true, true),
        ] as [(Bool, Bool, Bool?, Bool?, Bool, Bool)])
    func probes(
        hasReadiness: Bool, hasStartup: Bool, started: Bool?, ready: Bool?, isReady: Bool, isStarted: Bool
    ) {
        var container = Fixture.container("app")
        container.readinessProbe = hasReadiness ? Probe() : nil
        container.startupProbe = hasStartup ? Probe() : nil
        let results = ProbeVerdicts(
            ready: ready.map { ["app-0": $0] } ?? [:], started: started.map { ["app-0": $0] } ?? [:])
        let status = Fixture.status(Fixture.pod(apps: [container]), [Fixture.instance()], probes: results)
        #expect(status.containerStatuses?.first?.ready == isReady)
        #expect(status.containerStatuses?.first?.started == isStarted)
    }

    @Test("a new agent keeps the verdict on an instance it adopted, and on no other", arguments: [0, 1] as [UInt32])
    func adopted(attempt: UInt32) {
        var container = Fixture.container("app")
        container.readinessProbe = Probe()
        container.startupProbe = Probe()
        let before = PodStatus(containerStatuses: [Fixture.running("app", ready: true, started: true)])
        let pod = Fixture.pod(apps: [container], status: before)
        let status = Fixture.status(pod, [Fixture.instance(attempt: attempt)])
        #expect(status.containerStatuses?.first?.ready == (attempt == 0))
        #expect(status.containerStatuses?.first?.started == (attempt == 0))
        let failing = Fixture.status(pod, [Fixture.instance()], probes: ProbeVerdicts(ready: ["app-0": false]))
        #expect(failing.containerStatuses?.first?.ready == false)
    }

    @Test("an init container is ready when it succeeded, a sidecar when its probe says so, in the order of the spec")
    func initReadiness() {
        let inits = [Fixture.container("z"), Fixture.sidecar("s"), Fixture.container("a")]
        let status = Fixture.status(
            Fixture.pod(inits: inits),
            [Fixture.instance("z", exit: 0), Fixture.instance("s"), Fixture.instance("a", exit: 1)])
        #expect(status.initContainerStatuses?.map(\.name) == ["z", "s", "a"])
        #expect(status.initContainerStatuses?.map(\.ready) == [true, true, false])
        #expect(status.initContainerStatuses?.map(\.started) == [false, true, false])
    }

    @Test("ephemeral containers have their own list, sorted, and no verdicts")
    func ephemeral() {
        var pod = Fixture.pod()
        pod.spec.ephemeralContainers = [EphemeralContainer(name: "z"), EphemeralContainer(name: "e")]
        let status = Fixture.status(pod, [Fixture.instance(), Fixture.instance("z")])
        #expect(status.ephemeralContainerStatuses?.map(\.name) == ["e", "z"])
        #expect(status.ephemeralContainerStatuses?.first?.state?.waiting?.reason == "ContainerCreating")
        #expect(status.ephemeralContainerStatuses?.last?.state?.running != nil)
        #expect(status.ephemeralContainerStatuses?.last?.ready == false)
        #expect(status.ephemeralContainerStatuses?.last?.started == nil)
        #expect(status.isTrue(.ready))
        #expect(status.phase == "Running")
        pod.status = status
        let gone = Fixture.status(pod, [Fixture.instance()])
        #expect(gone.ephemeralContainerStatuses?.last?.state?.terminated?.reason == "ContainerStatusUnknown")
    }

    @Test("an init container that is done stays so while something blocks its name; a failed one waits")
    func blockedInit() {
        let blocker = PodReconciler.Blocker(reason: "CrashLoopBackOff", message: "m", until: nil)
        let pod = Fixture.pod(inits: [Fixture.container("i")])
        for (exit, waits) in [(0, false), (3, true)] as [(Int32, Bool)] {
            let status = Fixture.status(pod, [Fixture.instance("i", exit: exit)], waiting: ["i": blocker])
            let container = status.initContainerStatuses?.first
            #expect((container?.state?.waiting?.reason == "CrashLoopBackOff") == waits)
            #expect(container?.lastState?.terminated?.exitCode == (waits ? 3 : nil))
        }
    }

    @Test("an init container whose record is gone had completed, if the pod's own were started since")
    func inferred() {
        let pod = Fixture.pod(inits: [Fixture.container("i"), Fixture.sidecar("s")])
        let status = Fixture.status(pod, [Fixture.instance()])
        #expect(status.initContainerStatuses?.first?.state?.terminated?.exitCode == 0)
        #expect(status.initContainerStatuses?.first?.ready == true)
        #expect(status.initContainerStatuses?.last?.state?.waiting != nil)
        #expect(Fixture.status(pod, []).initContainerStatuses?.first?.state?.waiting != nil)
    }

    @Test("a lost container is counted once, and not at all when the pod is deleted")
    func lost() {
        var pod = Fixture.pod(status: PodStatus(containerStatuses: [Fixture.running("app", restartCount: 4)]))
        let first = Fixture.status(pod, []).containerStatuses?.first
        #expect(first?.restartCount == 5)
        #expect(first?.lastState?.terminated?.exitCode == 137)
        var again = pod
        again.status = Fixture.status(pod, [])
        #expect(Fixture.status(again, []).containerStatuses?.first?.restartCount == 5)
        #expect(Fixture.status(again, [Fixture.instance(attempt: 5)]).containerStatuses?.first?.restartCount == 5)
        pod.metadata.deletionTimestamp = Timestamp(seconds: 1)
        #expect(Fixture.status(pod, []).containerStatuses?.first?.restartCount == 4)
    }

    @Test("a restart count never goes back, and the end of a removed instance becomes the last state")
    func counts() {
        let before = ContainerStatus(
            name: "app", state: Fixture.ended(9), restartCount: 7, containerID: "swiftlet://gone")
        let pod = Fixture.pod(status: PodStatus(containerStatuses: [before]))
        let status = Fixture.status(pod, [Fixture.instance(attempt: 2)]).containerStatuses?.first
        #expect(status?.restartCount == 8)
        #expect(status?.lastState?.terminated?.exitCode == 9)
        #expect(Fixture.status(pod, []).containerStatuses?.first?.state?.terminated?.exitCode == 9)
        let most = ContainerStatus(name: "app", state: Fixture.ended(9), restartCount: .max)
        let full = Fixture.pod(status: PodStatus(containerStatuses: [most]))
        #expect(Fixture.status(full, [Fixture.instance()]).containerStatuses?.first?.restartCount == .max)
    }

    @Test("containers removed to restart all of them wait with that reason, counted once")
    func restartingAll() {
        let rule = Fixture.rule("RestartAllContainers", "In", 42)
        let app = Fixture.container("app", policy: "Never", rules: [rule])
        let before = Fixture.status(Fixture.pod(apps: [app]), [Fixture.instance(exit: 42)], restartingAll: true)
        #expect(before.containerStatuses?.first?.state?.terminated?.exitCode == 42)
        let removed = Fixture.status(Fixture.pod(apps: [app], status: before), [])
        let container = removed.containerStatuses?.first
        #expect(container?.state?.waiting?.reason == "RestartingAllContainers")
        #expect(container?.lastState?.terminated?.reason == "RestartingAllContainers")
        #expect(container?.lastState?.terminated?.exitCode == 137)
        #expect(container?.restartCount == 1)
        #expect(removed.phase == "Running")
        let started = Fixture.status(Fixture.pod(apps: [app], status: removed), [Fixture.instance(attempt: 1)])
        #expect(started.containerStatuses?.first?.restartCount == 1)
        #expect(started.containerStatuses?.first?.lastState?.terminated?.reason == "RestartingAllContainers")
    }

    @Test("user, resources and mounts are told of an instance")
    func extras() throws {
        var container = Fixture.container("app")
        let requests = ["cpu": try Quantity(parsing: "100m")]
        container.resources = ResourceRequirements(requests: requests)
        container.volumeMounts = [
            VolumeMount(name: "v", mountPath: "/v"),
            VolumeMount(name: "r", readOnly: true, recursiveReadOnly: "IfPossible", mountPath: "/r"),
            VolumeMount(name: "d", readOnly: true, recursiveReadOnly: "Disabled", mountPath: "/d"),
            VolumeMount(name: "p", readOnly: true, mountPath: "/p", mountPropagation: "HostToContainer"),
        ]
        var instance = Fixture.instance()
        (instance.userID, instance.groupID, instance.supplementaryGroups) = (UInt32.max, 0, [5])
        let pod = Fixture.pod(apps: [container])
        let status = Fixture.status(pod, [instance]).containerStatuses?.first
        let user = LinuxContainerUser(uid: 4_294_967_295, gid: 0, supplementalGroups: [5])
        #expect(status?.user == ContainerUser(linux: user))
        #expect(status?.resources == container.resources)
        #expect(status?.allocatedResources == requests)
        #expect(
            status?.volumeMounts == [
                VolumeMountStatus(name: "v", mountPath: "/v"),
                VolumeMountStatus(name: "r", mountPath: "/r", readOnly: true, recursiveReadOnly: "Enabled"),
                VolumeMountStatus(name: "d", mountPath: "/d", readOnly: true, recursiveReadOnly: "Disabled"),
                VolumeMountStatus(name: "p", mountPath: "/p", readOnly: true, recursiveReadOnly: "Disabled"),
            ])
        let unknown = Fixture.status(Fixture.pod(), [Fixture.instance()]).containerStatuses?.first
        #expect(unknown?.user == nil)
        #expect(unknown?.resources == nil)
    }
}
