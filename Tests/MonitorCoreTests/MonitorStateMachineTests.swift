import Testing

@testable import MonitorCore

@Suite("What a monitor decides")
struct MonitorStateMachineTests {
    private static let created = MonitorEvent.created(pid: 42, startTime: 7)
    private static let running = MonitorEvent.running(pid: 42, startTime: 7, startedAt: 100)

    private enum Stage: CaseIterable { case launching, releaseWanted, created, released, running, exited }

    /// A machine brought to a stage.
    private func machine(_ stage: Stage) -> MonitorStateMachine {
        var machine = MonitorStateMachine()
        machine.cloned(pid: 42, startTime: 7)
        if stage == .launching { return machine }
        if stage == .releaseWanted {
            _ = machine.release()
            return machine
        }
        _ = machine.initIsReady()
        if stage == .created { return machine }
        _ = machine.release()
        if stage == .released { return machine }
        _ = machine.reportSocketClosed(now: 100)
        if stage == .running { return machine }
        _ = machine.initExited(exitCode: 0, signal: 0, outOfMemory: false, now: 200)
        return machine
    }

    @Test("a container is created, released, proven and ended, each step announced once")
    func life() {
        var machine = machine(.launching)
        #expect(machine.currentEvent == .launching)
        #expect(machine.initIsReady() == [.announce(Self.created)])
        #expect(machine.currentEvent == Self.created)
        #expect(machine.initIsReady() == [])
        #expect(machine.release() == [.unblockInit])
        #expect(machine.currentEvent == .launching)
        #expect(machine.reportSocketClosed(now: 100) == [.announce(Self.running)])
        #expect(machine.currentEvent == Self.running)
        #expect(machine.reportSocketClosed(now: 101) == [])
        let record = ExitRecord(released: true, exitCode: 3, startedAt: 100, finishedAt: 200)
        #expect(machine.initExited(exitCode: 3, signal: 0, outOfMemory: false, now: 200) == [.finish(record)])
        #expect(machine.currentEvent == .exited(record))
    }

    @Test("a release before init is ready is kept until it is")
    func earlyRelease() {
        var machine = machine(.launching)
        #expect(machine.release() == [])
        #expect(machine.release() == [])
        #expect(machine.initIsReady() == [.announce(Self.created), .unblockInit])
        #expect(machine.release() == [])
    }

    @Test("a second release is nothing new", arguments: [Stage.released, .running, .exited])
    private func secondRelease(stage: Stage) {
        var machine = machine(stage)
        #expect(machine.release() == [])
    }

    @Test("a container dies with its creator only while nobody has released it", arguments: Stage.allCases)
    private func creatorGone(stage: Stage) {
        var machine = machine(stage)
        let unreleased = stage == .launching || stage == .created
        #expect(machine.creatorIsGone() == (unreleased ? [.killInit] : []))
    }

    @Test(
        "a death before the release is a record of a container that never ran",
        arguments: [Stage.launching, .created])
    private func deathBeforeRelease(stage: Stage) {
        var machine = machine(stage)
        #expect(machine.reportSocketClosed(now: 150) == [])
        let record = ExitRecord(released: false, signal: 9, finishedAt: 200)
        #expect(machine.initExited(exitCode: 0, signal: 9, outOfMemory: false, now: 200) == [.finish(record)])
    }

    @Test("the first failure of a launch is the one in the record")
    func launchFailure() {
        var machine = machine(.launching)
        machine.launchFailed(Samples.failure)
        machine.launchFailed(LaunchFailure(step: 9, errno: 1))
        let record = ExitRecord(released: false, failure: Samples.failure, exitCode: 1, finishedAt: 200)
        #expect(machine.initExited(exitCode: 1, signal: 0, outOfMemory: false, now: 200) == [.finish(record)])
    }

    @Test("a failure after the release is no proof of execve: the container never started")
    func failureAfterRelease() {
        var machine = machine(.released)
        machine.launchFailed(Samples.failure)
        #expect(machine.reportSocketClosed(now: 150) == [])
        let record = ExitRecord(released: true, failure: Samples.failure, exitCode: 1, startedAt: 0, finishedAt: 200)
        #expect(machine.initExited(exitCode: 1, signal: 0, outOfMemory: false, now: 200) == [.finish(record)])
    }

    @Test("a death seen before the proof of execve is a container that started and ended at once")
    func exitBeforeProof() {
        var machine = machine(.released)
        let record = ExitRecord(released: true, exitCode: 0, startedAt: 200, finishedAt: 200)
        #expect(machine.initExited(exitCode: 0, signal: 0, outOfMemory: false, now: 200) == [.finish(record)])
        #expect(machine.reportSocketClosed(now: 201) == [])
    }

    @Test("exhausted memory kills init once, and the record says so", arguments: [Stage.created, .released, .running])
    private func memory(stage: Stage) throws {
        var machine = machine(stage)
        #expect(machine.memoryExhausted() == [.killInit])
        #expect(machine.memoryExhausted() == [])
        let actions = machine.initExited(exitCode: 0, signal: 9, outOfMemory: false, now: 200)
        guard case .finish(let record) = try #require(actions.first) else {
            Issue.record("\(actions)")
            return
        }
        #expect(record.outOfMemory)
    }

    @Test("exhausted memory that is only read at the end is in the record, and kills nobody later")
    func memoryAtTheEnd() {
        var machine = machine(.running)
        let record = ExitRecord(released: true, signal: 9, outOfMemory: true, startedAt: 100, finishedAt: 200)
        #expect(machine.initExited(exitCode: 0, signal: 9, outOfMemory: true, now: 200) == [.finish(record)])
        #expect(machine.memoryExhausted() == [])
    }

    @Test("a record is written once")
    func finishOnce() {
        var machine = machine(.exited)
        let event = machine.currentEvent
        #expect(machine.initExited(exitCode: 9, signal: 9, outOfMemory: true, now: 300) == [])
        #expect(machine.initIsReady() == [])
        #expect(machine.currentEvent == event)
    }
}
