import KubernetesAPI
import Testing

@testable import NodeAgent

@Suite struct WhyReportTests {
    private let now = Timestamp(seconds: 1_000_000)

    private func ago(_ seconds: Int64) -> Timestamp { Timestamp(seconds: 1_000_000 - seconds) }

    private func pod(
        _ status: PodStatus, containers: [Container] = [Container(name: "app", image: "example.org/app:1")],
        initContainers: [Container]? = nil, restartPolicy: String? = nil
    ) -> Pod {
        Pod(
            metadata: ObjectMeta(name: "web", namespace: "default", uid: "u1"),
            spec: PodSpec(
                initContainers: initContainers, containers: containers, restartPolicy: restartPolicy),
            status: status)
    }

    private func end(_ code: Int32, _ reason: String, _ seconds: Int64, signal: Int32? = nil) -> ContainerState {
        ContainerState(
            terminated: ContainerStateTerminated(
                exitCode: code, signal: signal, reason: reason, finishedAt: ago(seconds), containerID: "swiftlet://a"))
    }

    private func waiting(_ reason: String, _ message: String? = nil) -> ContainerState {
        ContainerState(waiting: ContainerStateWaiting(reason: reason, message: message))
    }

    private func running(_ seconds: Int64) -> ContainerState {
        ContainerState(running: ContainerStateRunning(startedAt: ago(seconds)))
    }

    private func report(
        _ pod: Pod, _ entries: [PodTimelineEntry] = [], nextTries: [String: Duration] = [:]
    ) -> WhyReport {
        WhyReport(pod, timeline: entries, nextTries: nextTries, now: now)
    }

    private func warning(
        _ reason: String, _ message: String, container: String? = nil, first: Int64, last: Int64, count: Int64
    ) -> PodTimelineEntry {
        var entry = PodTimelineEntry(
            .event, reason: reason, message: message, container: container, isWarning: true, at: ago(last))
        entry.first = ago(first)
        entry.count = count
        return entry
    }

    private func crashing(code: Int32 = 3, reason: String = "Error") -> PodStatus {
        PodStatus(
            phase: "Running",
            containerStatuses: [
                ContainerStatus(
                    name: "app",
                    state: waiting(
                        "CrashLoopBackOff", "back-off 1m20s restarting failed container=app pod=web_default(u1)"),
                    lastState: end(code, reason, 12), restartCount: 3)
            ])
    }

    @Test("a crash loop: how often, how it ended, when it goes on")
    func crashLoop() {
        let report = report(pod(crashing()), nextTries: ["app": .milliseconds(67_400)])
        #expect(
            report.answer
                == "web is not ready: container app crashed 4 times, last exit code 3 (Error) 12 s ago; next start in 68 s (back-off 1m20s)"
        )
        #expect(report.state == .waiting)
        #expect(report.containers.first?.text.contains("next try in 68 s") == true)
    }

    @Test("a crash loop for want of memory names the limit")
    func outOfMemory() throws {
        var container = Container(name: "app", image: "a")
        container.resources = ResourceRequirements(limits: ["memory": try Quantity(parsing: "64Mi")])
        let report = report(
            pod(crashing(code: 137, reason: "OOMKilled"), containers: [container]), nextTries: ["app": .seconds(68)])
        #expect(
            report.answer
                == "web is not ready: container app was OOMKilled 4 times, last 12 s ago: its memory limit is 64Mi; next start in 68 s (back-off 1m20s)"
        )
    }

    @Test("a probe that keeps killing the container is named")
    func killedByProbe() {
        var ended = PodTimelineEntry(
            .ended, reason: "Error", message: "exit code 137, signal 9 (Error)", container: "app", at: ago(12))
        ended.killedBy = .probe
        #expect(report(pod(crashing(code: 137)), [ended]).answer.contains("ended by a failed probe"))
    }

    @Test("an init container that is the obstacle is named with its place")
    func initContainer() {
        let containers = ["first", "fetch", "last"].map { Container(name: $0, image: "a") }
        let status = PodStatus(
            phase: "Pending",
            initContainerStatuses: [
                ContainerStatus(name: "first", state: end(0, "Completed", 60), ready: true),
                ContainerStatus(name: "fetch", state: running(50)),
                ContainerStatus(name: "last", state: waiting("PodInitializing")),
            ], containerStatuses: [ContainerStatus(name: "app", state: waiting("PodInitializing"))])
        let report = report(pod(status, initContainers: containers))
        #expect(report.answer == "web waits for init container fetch (2 of 3), which is running for 50 s")
        #expect(report.state == .starting)
    }

    @Test("an image that is not there is told with the way to get it")
    func image() {
        let message = "image \"example.org/app:1\" is not on this node: import it with `swiftlet image import FILE`"
        let status = PodStatus(
            phase: "Pending",
            containerStatuses: [ContainerStatus(name: "app", state: waiting("ErrImagePull", message))])
        #expect(
            report(pod(status), nextTries: ["app": .seconds(7)]).answer
                == "web is not ready: container app: \(message); next try in 7 s")
    }

    @Test("a readiness probe that fails is told with its words, count and span")
    func readiness() {
        var container = Container(name: "app", image: "a")
        container.readinessProbe = Probe()
        let status = PodStatus(
            phase: "Running",
            containerStatuses: [ContainerStatus(name: "app", state: running(300), ready: false, started: true)])
        let failures = warning(
            "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 500", container: "app",
            first: 120, last: 1, count: 12)
        #expect(
            report(pod(status, containers: [container]), [failures]).answer
                == "web is running, but not ready: the readiness probe of app fails: HTTP probe failed with statuscode: 500 (12 times in 119 s, last 1 s ago)"
        )
        #expect(
            report(pod(status, containers: [container])).answer
                == "web is running, but not ready: the readiness probe of app has not succeeded yet (started 300 s ago)"
        )
    }

    @Test("failures of a probe before the container's start are not held against it")
    func oldFailures() {
        var container = Container(name: "app", image: "a")
        container.readinessProbe = Probe()
        let status = PodStatus(
            phase: "Running", containerStatuses: [ContainerStatus(name: "app", state: running(5), started: true)])
        let failures = warning(
            "Unhealthy", "Readiness probe failed: no", container: "app", first: 120, last: 60, count: 2)
        let answer = report(pod(status, containers: [container]), [failures]).answer
        #expect(answer.contains("has not succeeded yet"))
    }

    @Test("what stands before every container comes first, until something was started")
    func obstacle() {
        let status = PodStatus(
            phase: "Pending", containerStatuses: [ContainerStatus(name: "app", state: waiting("ContainerCreating"))])
        let failure = warning("FailedMount", "configmap \"settings\" not found", first: 30, last: 2, count: 5)
        let report = report(pod(status), [failure])
        #expect(
            report.answer == "web cannot start: configmap \"settings\" not found (5 times in 28 s, last 2 s ago)")
        let started = PodTimelineEntry(.started, reason: "Started", container: "app", at: ago(1))
        #expect(self.report(pod(status), [failure, started]).answer.hasPrefix("web is starting"))
    }

    @Test("a deletion tells what is left of the grace")
    func deletion() {
        var item = pod(
            PodStatus(
                phase: "Running", containerStatuses: [ContainerStatus(name: "app", state: running(60), ready: true)]))
        item.metadata.deletionTimestamp = Timestamp(seconds: 1_000_025)
        #expect(report(item).answer == "web is being deleted: app has 25 s of its grace left")
        #expect(report(item).state == .deleting)
        item.metadata.deletionTimestamp = ago(1)
        #expect(report(item).answer == "web is being deleted: the grace of app is over, it is being killed")
        item.status?.containerStatuses?[0].state = end(0, "Completed", 1)
        let stuck = warning("FailedKillPod", "umount: Device or resource busy", first: 1, last: 1, count: 1)
        #expect(report(item, [stuck]).answer.contains("nothing runs any more, but umount: Device or resource busy"))
    }

    @Test("ends: well, badly, by the node")
    func ends() {
        func status(_ phase: String, _ state: ContainerState) -> PodStatus {
            PodStatus(phase: phase, containerStatuses: [ContainerStatus(name: "app", state: state)])
        }
        #expect(report(pod(status("Succeeded", end(0, "Completed", 30)))).answer == "web has ended well 30 s ago")
        #expect(
            report(pod(status("Failed", end(3, "Error", 30)), restartPolicy: "Never")).answer
                == "web has failed: container app ended with exit code 3 (Error) 30 s ago, and restartPolicy Never leaves it so"
        )
        var evicted = status("Failed", end(137, "Error", 30))
        evicted.reason = "Evicted"
        evicted.message = "The node was low on resource: memory."
        #expect(report(pod(evicted)).answer == "web has failed: Evicted: The node was low on resource: memory.")
    }

    @Test("a pod that is well says so, and what it has been through")
    func fine() {
        var status = PodStatus(
            phase: "Running",
            containerStatuses: [
                ContainerStatus(
                    name: "app", state: running(11_000), lastState: end(137, "OOMKilled", 11_001, signal: 9),
                    ready: true, restartCount: 1)
            ])
        status.setCondition(
            PodCondition(type: "Ready", status: "True", lastTransitionTime: ago(10_900)))
        #expect(
            report(pod(status)).answer
                == "web is fine: running and ready for 3 h; container app was restarted once, last was OOMKilled 3 h ago: it has no memory limit of its own, its pod or the node ran out"
        )
        #expect(report(pod(status)).state == .ready)
    }

    @Test("a pod with nothing to say for itself yet has an answer")
    func nothing() {
        let report = report(Pod(metadata: ObjectMeta(name: "web")))
        #expect(report.state == .starting)
        #expect(report.text.contains("Nothing is known of its past."))
    }

    @Test("a pod that is gone still has its story")
    func gone() {
        let entries = [
            PodTimelineEntry(.pod, reason: "Deleting", at: ago(70)),
            PodTimelineEntry(
                .ended, reason: "Completed", message: "exit code 0 (Completed)", container: "app", at: ago(60)),
        ]
        let report = WhyReport(
            PodTimelineStore.Gone(
                pod: PodTimelineName(namespace: "default", name: "web", uid: "u1"), goneAt: ago(59), entries: entries),
            now: now)
        #expect(
            report.answer
                == "web is gone from this node: it was deleted 59 s ago; the last to end was container app, exit code 0 (Completed)"
        )
        #expect(report.timeline.count == 2)
    }

    @Test("the timeline is by time, though the end under no agent is told after the next agent's start")
    func order() {
        let late = PodTimelineEntry(.ended, reason: "Error", message: "exit code 1", container: "app", at: ago(50))
        let agent = PodTimelineEntry(.agent, reason: "AgentStarted", message: "swiftlet was started again", at: ago(10))
        #expect(report(pod(PodStatus()), [agent, late]).timeline.map(\.kind) == [.ended, .agent])
    }

    @Test("text for terminals has no control characters of the program's")
    func escapes() {
        let entry = PodTimelineEntry(
            .ended, reason: "Error", message: "exit code 1: \u{1B}[2J\r\nboo\u{9B}", container: "app", at: ago(1))
        let text = report(pod(PodStatus()), [entry]).text
        #expect(!text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || (0x7F...0x9F).contains($0.value) })
        #expect(text.contains("boo"))
        #expect(text.contains("1 s ago"))
    }

    @Test("the JSON has the answer, the containers and the timeline")
    func json() {
        let json = report(pod(crashing()), [warning("BackOff", "b", first: 1, last: 1, count: 1)]).json
        #expect(json["answer"]?.stringValue?.hasPrefix("web is not ready") == true)
        #expect(json["containers"]?[0]?["name"] == "app")
        #expect(json["timeline"]?[0]?["reason"] == "BackOff")
    }
}
