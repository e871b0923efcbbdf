import KubernetesAPI
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
                    containerID: "app-0", container: "app",
                    message: "Container app definition changed, will be restarted")
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
    func backOffKey() {
        let container = Container(name: "app", image: "img")
        let key = PodReconciler.backOffKey(Self.pod(), container)
        #expect(PodReconciler.backOffKey(Self.pod(), Container(name: "app", image: "other")) != key)
        #expect(PodReconciler.backOffKey(Self.pod(), Container(name: "b", image: "img")) != key)
        #expect(PodReconciler.backOffKey(Self.pod("Never"), container) == key)
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
}
