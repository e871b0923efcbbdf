import KubernetesAPI
import Testing

@testable import NodeAgent

@Suite struct PodStatusChangesTests {
    private let now = Timestamp(seconds: 1_000_000)

    private func status(_ state: ContainerState, last: ContainerState? = nil, id: String? = nil) -> PodStatus {
        PodStatus(
            phase: "Running",
            containerStatuses: [ContainerStatus(name: "app", state: state, lastState: last, containerID: id)])
    }

    private func running(_ id: String) -> PodStatus {
        status(ContainerState(running: ContainerStateRunning(startedAt: now)), id: id)
    }

    private func ended(_ id: String) -> ContainerState {
        ContainerState(
            terminated: ContainerStateTerminated(exitCode: 3, reason: "Error", finishedAt: now, containerID: id))
    }

    private func kinds(_ old: PodStatus?, _ new: PodStatus) -> [PodTimelineEntry.Kind] {
        PodStatusChanges.entries(from: old, to: new, now: now).map(\.kind)
    }

    @Test("the same status twice is no change")
    func same() {
        #expect(kinds(running("a"), running("a")).isEmpty)
    }

    @Test("start, end and restart are told with their instances")
    func life() throws {
        #expect(kinds(nil, running("a")) == [.started, .pod])
        let crashed = status(
            ContainerState(
                waiting: ContainerStateWaiting(
                    reason: "CrashLoopBackOff",
                    message: "back-off 10s restarting failed container=app pod=web_default(u)")),
            last: ended("a"), id: "a")
        let entries = PodStatusChanges.entries(from: running("a"), to: crashed, now: now)
        #expect(entries.map(\.kind) == [.ended, .waits])
        #expect(entries.first?.instance == "a")
        #expect(entries.first?.message == "exit code 3 (Error)")
        #expect(entries.last?.message == "back-off 10s")
        var again = running("b")
        again.containerStatuses?[0].lastState = ended("a")
        #expect(kinds(crashed, again) == [.started])
        #expect(kinds(running("a"), again) == [.ended, .started])
    }

    @Test("a container that is being made does not wait for anything that people must know")
    func creating() {
        let waiting = ContainerState(waiting: ContainerStateWaiting(reason: "ContainerCreating"))
        #expect(
            kinds(nil, PodStatus(phase: "Pending", containerStatuses: [ContainerStatus(name: "app", state: waiting)]))
                .isEmpty)
    }

    @Test("readiness and phase are told when they change")
    func readiness() {
        var ready = running("a")
        ready.setCondition(PodCondition(type: "Ready", status: "True"))
        #expect(PodStatusChanges.entries(from: running("a"), to: ready, now: now).map(\.reason) == ["Ready"])
        var failed = ready
        failed.phase = "Failed"
        failed.reason = "Evicted"
        failed.message = "low on memory"
        let entries = PodStatusChanges.entries(from: ready, to: failed, now: now)
        #expect(entries.map(\.message) == ["Evicted: low on memory"])
        #expect(entries.map(\.isWarning) == [true])
    }
}
