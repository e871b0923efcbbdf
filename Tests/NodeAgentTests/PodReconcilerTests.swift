import KubernetesAPI
import Probes
import Testing

@testable import NodeAgent

struct PodReconcilerTests {
    private static let now = Duration.seconds(1000)

    private static func pod(_ policy: String = "Always", initContainers: [String] = [], image: String = "img") -> Pod {
        Pod(
            metadata: ObjectMeta(name: "p", namespace: "ns", uid: "u"),
            spec: PodSpec(
                initContainers: initContainers.map { Container(name: $0, image: image) },
                containers: [Container(name: "app", image: image)], restartPolicy: policy))
    }

    private static func instance(
        _ name: String = "app", attempt: UInt32 = 0, exit: Int32? = nil, sandbox: String = "s", image: String = "img"
    ) -> ContainerObservation {
        ContainerObservation(
            id: "\(name)-\(attempt)", sandboxID: sandbox, name: name, attempt: attempt,
            definitionHash: "\(name)|\(image)",
            state: exit.map { .exited(ContainerStateTerminated(exitCode: $0)) }
                ?? .running(startedAt: Timestamp(seconds: 1)))
    }

    private static func observed(_ containers: ContainerObservation...) -> PodObservation {
        PodObservation(sandboxID: "s", nextSandboxAttempt: 1, containers: containers)
    }

    @Test("a pod without a sandbox gets one, and nothing else", arguments: [0, 3] as [UInt32])
    func sandbox(attempt: UInt32) {
        let plan = PodReconciler.plan(
            Self.pod(), observed: PodObservation(nextSandboxAttempt: attempt), now: Self.now)
        #expect(plan.actions == [.createSandbox(attempt: attempt)])
        #expect(!plan.isFinished)
    }

    @Test("a pod that has ended needs no sandbox")
    func endedWithoutSandbox() {
        let plan = PodReconciler.plan(
            Self.pod("Never"), observed: PodObservation(containers: [Self.instance(exit: 0)]), now: Self.now)
        #expect(plan.actions.isEmpty)
        #expect(plan.isFinished)
    }

    @Test("a running container is left alone")
    func steady() {
        #expect(
            PodReconciler.plan(Self.pod(), observed: Self.observed(Self.instance()), now: Self.now)
                == PodReconciler.Plan())
    }

    @Test(
        "the restart policy decides whether an exit is the end",
        arguments: [
            ("Always", 0, false), ("Always", 1, false), ("OnFailure", 0, true), ("OnFailure", 1, false),
            ("Never", 0, true), ("Never", 137, true), ("", 0, false),
        ] as [(String, Int32, Bool)])
    func restartPolicy(policy: String, exit: Int32, ends: Bool) {
        let plan = PodReconciler.plan(
            Self.pod(policy), observed: Self.observed(Self.instance(attempt: 4, exit: exit)), now: Self.now)
        #expect(plan.isFinished == ends)
        #expect(plan.actions == (ends ? [] : [.start(container: "app", attempt: 5)]))
    }

    @Test("init containers run one after the other, and the app only after the last")
    func initContainers() {
        let pod = Self.pod("Never", initContainers: ["a", "b"])
        let table: [(PodObservation, [PodReconciler.Action])] = [
            (Self.observed(), [.start(container: "a", attempt: 0)]),
            (Self.observed(Self.instance("a")), []),
            (Self.observed(Self.instance("a", exit: 0)), [.start(container: "b", attempt: 0)]),
            (Self.observed(Self.instance("a", exit: 0), Self.instance("b")), []),
            (
                Self.observed(Self.instance("a", exit: 0), Self.instance("b", exit: 0)),
                [.start(container: "app", attempt: 0)]
            ),
        ]
        for (observation, actions) in table {
            let plan = PodReconciler.plan(pod, observed: observation, now: Self.now)
            #expect(plan.actions == actions)
            #expect(!plan.isFinished)
        }
    }

    @Test(
        "a failed init container ends a pod that never restarts, and is tried again otherwise",
        arguments: [("Never", true), ("OnFailure", false), ("Always", false)])
    func failedInit(policy: String, ends: Bool) {
        let plan = PodReconciler.plan(
            Self.pod(policy, initContainers: ["a"]), observed: Self.observed(Self.instance("a", exit: 1)),
            now: Self.now)
        #expect(plan.isFinished == ends)
        #expect(plan.actions == (ends ? [] : [.start(container: "a", attempt: 1)]))
    }

    @Test("after a new sandbox the init containers run again before the app")
    func initAgain() {
        let plan = PodReconciler.plan(
            Self.pod("Always", initContainers: ["a"]),
            observed: Self.observed(
                Self.instance("a", exit: 0, sandbox: "old"), Self.instance(exit: 137, sandbox: "old")),
            now: Self.now)
        #expect(plan.actions == [.start(container: "a", attempt: 1)])
    }

    @Test("a changed image kills the running instance, and starts the next when it is dead")
    func definitionChanged() {
        let pod = Self.pod("Never", image: "new")
        let running = PodReconciler.plan(pod, observed: Self.observed(Self.instance()), now: Self.now)
        #expect(
            running.actions == [
                .kill(
                    containerID: "app-0", container: "app", reason: .definitionChanged, gracePeriodSeconds: nil)
            ])
        let dead = PodReconciler.plan(pod, observed: Self.observed(Self.instance(exit: 137)), now: Self.now)
        #expect(dead.actions == [.start(container: "app", attempt: 1)])
        #expect(!dead.isFinished)
    }

    @Test("a crash waits out its delay from when it was seen, says so, and then starts")
    func backOff() {
        let pod = Self.pod()
        let key = PodReconciler.backOffKey(pod, pod.spec.containers[0])
        var backOff = RestartBackOff()
        backOff.recordTry(key, now: Self.now)
        func plan(_ later: Int, sandbox: String = "s") -> PodReconciler.Plan {
            PodReconciler.plan(
                pod, observed: Self.observed(Self.instance(exit: 1, sandbox: sandbox)), backOff: backOff,
                exitSeenAt: ["app": Self.now + .seconds(2)], now: Self.now + .seconds(later))
        }
        let waiting = plan(11)
        #expect(waiting.actions.isEmpty)
        #expect(waiting.wakeAt == Self.now + .seconds(12))
        #expect(waiting.waiting["app"]?.reason == "CrashLoopBackOff")
        #expect(waiting.waiting["app"]?.message == "back-off 10s restarting failed container=app pod=p_ns(u)")
        #expect(plan(12).actions == [.start(container: "app", attempt: 1)])
        #expect(plan(3, sandbox: "old").actions == [.start(container: "app", attempt: 1)], "a lost sandbox")
    }

    @Test("a new image starts without the old one's delay")
    func backOffKey() throws {
        let container = Container(name: "app", image: "img")
        let key = PodReconciler.backOffKey(Self.pod(), container)
        #expect(PodReconciler.backOffKey(Self.pod(), Container(name: "app", image: "other")) != key)
        #expect(PodReconciler.backOffKey(Self.pod(), Container(name: "b", image: "img")) != key)
        #expect(PodReconciler.backOffKey(Self.pod("Never"), container) == key)
        let larger = ResourceRequirements(limits: ["memory": try Quantity(parsing: "1Gi")])
        #expect(PodReconciler.backOffKey(Self.pod(), Container(name: "app", image: "img", resources: larger)) != key)
    }

    @Test(
        "a blocked container waits until its time has come, or for ever without one",
        arguments: [(nil, true), (Duration.seconds(1001), true), (.seconds(1000), false), (.seconds(1), false)]
            as [(Duration?, Bool)])
    func blockers(until: Duration?, waits: Bool) {
        let blocker = PodReconciler.Blocker(reason: "ImagePullBackOff", message: "m", until: until)
        let plan = PodReconciler.plan(Self.pod(), observed: Self.observed(), blockers: ["app": blocker], now: Self.now)
        #expect(plan.waiting == (waits ? ["app": blocker] : [:]))
        #expect(plan.actions == (waits ? [] : [.start(container: "app", attempt: 0)]))
        #expect(plan.wakeAt == (waits ? until : nil))
    }

    @Test("an attempt used before a reboot is not used again", arguments: [(0, 1), (5, 5)] as [(UInt32, UInt32)])
    func firstAttempts(first: UInt32, expected: UInt32) {
        let plan = PodReconciler.plan(
            Self.pod(), observed: Self.observed(Self.instance(exit: 1)), firstAttempts: ["app": first], now: Self.now)
        #expect(plan.actions == [.start(container: "app", attempt: expected)])
    }

    @Test("only the newest two instances are kept, and a living one never removed")
    func trim() {
        let plan = PodReconciler.plan(
            Self.pod(),
            observed: Self.observed(
                Self.instance(attempt: 1, exit: 1), Self.instance(attempt: 3), Self.instance(attempt: 0),
                Self.instance(attempt: 2, exit: 1)),
            now: Self.now)
        #expect(plan.actions == [.remove(containerID: "app-1")])
    }

    @Test("the earliest of several waits wakes the pod")
    func earliest() {
        var pod = Self.pod()
        pod.spec.containers.append(Container(name: "b", image: "img"))
        let plan = PodReconciler.plan(
            pod, observed: Self.observed(),
            blockers: [
                "app": .init(reason: "r", message: "", until: .seconds(1100)),
                "b": .init(reason: "r", message: "", until: .seconds(1050)),
            ], now: Self.now)
        #expect(plan.wakeAt == .seconds(1050))
        #expect(plan.waiting.count == 2)
    }

    private typealias Fixture = LifecycleFixture

    @Test(
        "a failed probe kills with its own grace, then the container's own policy decides",
        arguments: [
            (.liveness, nil, .livenessFailed, 7), (.liveness, 9, .livenessFailed, 9),
            (.startup, nil, .startupFailed, nil),
        ]
            as [(ProbeKind, Int64?, KillReason, Int64?)])
    func failedProbe(kind: ProbeKind, grace: Int64?, reason: KillReason, expected: Int64?) {
        var pod = Fixture.pod()
        pod.spec.containers[0].livenessProbe = Probe(terminationGracePeriodSeconds: 7)
        let probes = ProbeVerdicts(failed: ["app-0": .init(kind: kind, gracePeriodSeconds: grace)])
        #expect(
            Fixture.plan(pod, [Self.instance()], probes: probes).actions == [
                Fixture.kill("app", reason, grace: expected)
            ])
        // An older instance's verdict says nothing about the one that runs.
        #expect(Fixture.plan(pod, [Self.instance(attempt: 1)], probes: probes).actions.isEmpty)
        for (policy, ends) in [("Never", true), ("OnFailure", false), ("Always", false)] {
            pod.spec.containers[0].restartPolicy = policy
            let plan = Fixture.plan(pod, [Self.instance(exit: 137)])
            #expect(plan.isFinished == ends)
            #expect(plan.actions == (ends ? [] : [Fixture.start("app", 1)]))
        }
    }

    @Test("a hook of which no end is known is run again, and one that failed ends its container")
    func postStart() {
        var hooked = Fixture.container("app")
        hooked.lifecycle = Lifecycle(postStart: LifecycleHandler(exec: ExecAction(command: ["true"])))
        let pod = Fixture.pod(apps: [hooked, Fixture.container("other")])
        func actions(_ state: PostStartState?, of pod: Pod) -> [PodReconciler.Action] {
            var instance = Self.instance()
            instance.postStart = state
            return Fixture.plan(pod, [instance, Self.instance("other")]).actions
        }
        #expect(actions(nil, of: pod).isEmpty)
        #expect(actions(.pending, of: pod) == [.runPostStart(containerID: "app-0", container: "app")])
        #expect(actions(.failed, of: pod) == [Fixture.kill("app", .postStartFailed)])
        // Another definition is above both.
        var edited = pod
        edited.spec.containers[0].image = "new"
        for state in [PostStartState.pending, .failed] {
            #expect(actions(state, of: edited) == [Fixture.kill("app", .definitionChanged)])
        }
    }

    @Test(
        "a sidecar has not started before its hook has ended well", arguments: [PostStartState.pending, .failed, nil])
    func sidecarHook(state: PostStartState?) {
        var hooked = Fixture.sidecar("side")
        hooked.lifecycle = Lifecycle(postStart: LifecycleHandler(exec: ExecAction(command: ["true"])))
        var instance = Self.instance("side")
        instance.postStart = state
        let next: PodReconciler.Action =
            switch state {
            case .pending: .runPostStart(containerID: "side-0", container: "side")
            case .failed: Fixture.kill("side", .postStartFailed)
            case nil: Fixture.start("app")
            }
        #expect(Fixture.plan(Fixture.pod(inits: [hooked]), [instance]).actions == [next])
    }

    @Test("a changed image is above a failed probe")
    func changedAndFailed() {
        let probes = ProbeVerdicts(failed: ["app-0": .init(kind: .liveness, gracePeriodSeconds: 1)])
        let plan = Fixture.plan(Self.pod(image: "new"), [Self.instance()], probes: probes)
        #expect(plan.actions == [Fixture.kill("app", .definitionChanged)])
    }

    @Test("anything but name and image of a running container may change", arguments: ["Always", "Never"])
    func harmlessChange(policy: String) throws {
        var pod = Self.pod(policy)
        pod.spec.containers[0].env = [EnvVar(name: "A", value: "b")]
        pod.spec.containers[0].resources = ResourceRequirements(limits: ["cpu": try Quantity(parsing: "1")])
        #expect(Fixture.plan(pod, [Self.instance()]) == PodReconciler.Plan())
    }

    @Test("an instance that was made but never started makes way for the next", arguments: ["Always", "Never"])
    func created(policy: String) {
        let plan = Fixture.plan(Fixture.pod(policy), [Fixture.created("app", attempt: 2)])
        #expect(
            plan.actions == [
                Fixture.kill("app", .neverStarted, attempt: 2, grace: 0), Fixture.remove("app", 2),
                Fixture.start("app", 3),
            ])
        let blocker = PodReconciler.Blocker(reason: "RunContainerError", message: "", until: .seconds(1001))
        let blocked = PodReconciler.plan(
            Fixture.pod(policy), observed: Fixture.observed([Fixture.created("app")]), blockers: ["app": blocker],
            now: Self.now)
        #expect(blocked.actions.isEmpty)
        #expect(blocked.waiting == ["app": blocker])
    }

    @Test("what runs in another sandbox ends before anything starts", arguments: [nil, "new"] as [String?])
    func strangers(sandbox: String?) {
        let plan = Fixture.plan(Fixture.pod(), [Self.instance(sandbox: "old")], sandbox: sandbox)
        #expect(plan.actions == [Fixture.kill("app", .sandboxLost)])
    }

    @Test("one failing container does not hold up the others, in the order of the specification")
    func independent() {
        let pod = Fixture.pod(apps: ["z", "a", "m"].map { Fixture.container($0) })
        let blocker = PodReconciler.Blocker(reason: "ErrImagePull", message: "", until: nil)
        let plan = PodReconciler.plan(pod, observed: Fixture.observed([]), blockers: ["a": blocker], now: Self.now)
        #expect(plan.actions == [Fixture.start("z"), Fixture.start("m")])
        #expect(plan.waiting == ["a": blocker])
    }

    @Test("ephemeral containers start before the init containers are done, and never again")
    func ephemeral() {
        var pod = Fixture.pod(inits: [Fixture.container("i")])
        pod.spec.ephemeralContainers = [EphemeralContainer(name: "e", image: "img")]
        #expect(Fixture.plan(pod, [Fixture.instance("i")]).actions == [Fixture.start("e")])
        #expect(Fixture.plan(pod, []).actions == [Fixture.start("e"), Fixture.start("i")])
        for instance in [Fixture.instance("e"), Fixture.instance("e", exit: 1), Fixture.created("e")] {
            #expect(Fixture.plan(pod, [Fixture.instance("i"), instance]).actions.isEmpty)
        }
        pod.status = PodStatus(ephemeralContainerStatuses: [ContainerStatus(name: "e", state: Fixture.ended(0))])
        #expect(Fixture.plan(pod, [Fixture.instance("i")]).actions.isEmpty, "its record is lost")
    }

    @Test("nothing is started in a pod that is being deleted")
    func deleted() {
        var pod = Fixture.pod()
        pod.metadata.deletionTimestamp = Timestamp(seconds: 1)
        #expect(Fixture.plan(pod, [], sandbox: nil).actions.isEmpty)
        #expect(Fixture.plan(pod, [Self.instance(exit: 1)]).isFinished)
        #expect(Fixture.plan(pod, [Self.instance()]) == PodReconciler.Plan())
    }

    @Test("without the time of its exit a container still waits out its delay only once")
    func unknownExitTime() {
        let pod = Fixture.pod()
        var backOff = RestartBackOff()
        backOff.recordTry(PodReconciler.backOffKey(pod, pod.spec.containers[0]), now: Self.now)
        func plan(_ later: Int) -> PodReconciler.Plan {
            PodReconciler.plan(
                pod, observed: Fixture.observed([Self.instance(exit: 1)]), backOff: backOff,
                now: Self.now + .seconds(later))
        }
        #expect(plan(9).wakeAt == Self.now + .seconds(10))
        #expect(plan(10).actions == [Fixture.start("app", 1)])
    }

    @Test("the last attempt number there is does not overflow")
    func lastAttempt() {
        let plan = Fixture.plan(Fixture.pod(), [Self.instance(attempt: .max, exit: 1)])
        #expect(plan.actions == [Fixture.start("app", .max)])
    }

    @Test(
        "without any instance the attempt goes on where the status says it was",
        arguments: [
            (ContainerState(running: ContainerStateRunning()), nil, 5), (LifecycleFixture.ended(1), nil, 5),
            (ContainerState(waiting: ContainerStateWaiting()), LifecycleFixture.ended(1, reason: "Error"), 5),
            (
                ContainerState(waiting: ContainerStateWaiting()),
                LifecycleFixture.ended(137, reason: "ContainerStatusUnknown"), 4
            ),
            (
                ContainerState(waiting: ContainerStateWaiting()),
                LifecycleFixture.ended(137, reason: "RestartingAllContainers"), 4
            ),
            (ContainerState(waiting: ContainerStateWaiting()), nil, 4),
        ] as [(ContainerState, ContainerState?, UInt32)])
    func reportedAttempt(state: ContainerState, last: ContainerState?, expected: UInt32) {
        let status = ContainerStatus(name: "app", state: state, lastState: last, restartCount: 4)
        let pod = Fixture.pod(status: PodStatus(containerStatuses: [status]))
        #expect(Fixture.plan(pod, []).actions == [Fixture.start("app", expected)])
    }
}
