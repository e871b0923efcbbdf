import KubernetesAPI
import KubernetesClient
import Testing

@testable import NodeAgent

@Suite("When which pod's status is written")
struct PodStatusStateMachineTests {
    private func pod(_ uid: String = "u1", version: String? = "1", status: PodStatus? = PodStatus(phase: "Pending"))
        -> Pod
    {
        Pod(
            metadata: ObjectMeta(
                name: "web-\(uid)", namespace: "default", uid: uid, resourceVersion: version,
                annotations: [PodAnnotations.source: "api"]),
            status: status)
    }

    private func dying(_ uid: String = "u1", version: String = "2", status: PodStatus? = nil) -> Pod {
        var pod = pod(uid, version: version, status: status)
        pod.metadata.deletionTimestamp = Timestamp(seconds: 1)
        return pod
    }

    private func staticPod(_ uid: String) -> Pod {
        Pod(
            metadata: ObjectMeta(
                name: "s-node", namespace: "default", uid: uid, annotations: [PodAnnotations.source: "file"]))
    }

    private func mirror(of uid: String, uid mirrorUID: String, status: PodStatus? = nil) -> Pod {
        Pod(
            metadata: ObjectMeta(
                name: "s-node", namespace: "default", uid: mirrorUID, resourceVersion: "5",
                annotations: [PodAnnotations.mirror: uid]),
            status: status)
    }

    private static let running = PodStatus(phase: "Running")
    private static let conflict = APIError(code: .http(409), reason: .conflict, message: "")
    private static let unavailable = APIError(code: .http(503), message: "")
    private static let notFound = APIError(code: .http(404), reason: .notFound, message: "")
    private static let invalid = APIError(code: .http(422), reason: .invalid, message: "")

    private func isPatch(_ action: PodStatusStateMachine.Action?) -> Bool {
        if case .patch = action?.call { true } else { false }
    }

    /// Answers as the API would: with the pod and its new status.
    private func acknowledge(
        _ action: PodStatusStateMachine.Action, _ pod: Pod, _ machine: inout PodStatusStateMachine,
        version: String = "2"
    ) throws {
        guard case .patch(let patch) = action.call else {
            Issue.record("not a patch: \(action)")
            return
        }
        let object = try JSONValueEncoder().encode(pod)
        var answer = try JSONValueDecoder().decode(
            Pod.self, from: try StrategicMergePatch.apply(patch, to: object, as: Pod.self))
        answer.metadata.resourceVersion = version
        machine.completed(action, .object(answer), now: .zero, random: 0.5)
    }

    @Test("a change is written once, the same status again is not")
    func writesOnce() throws {
        var machine = PodStatusStateMachine()
        machine.observe(pod(), now: .zero)
        #expect(machine.next(now: .zero).isEmpty)
        machine.set(Self.running, for: pod())
        let action = try #require(machine.next(now: .zero).first)
        #expect(isPatch(action))
        try acknowledge(action, pod(), &machine)
        machine.set(Self.running, for: pod())
        #expect(machine.next(now: .zero).isEmpty)
        #expect(machine.nextDue == nil)
    }

    @Test("what the API holds already is not written")
    func noOp() {
        var machine = PodStatusStateMachine()
        machine.observe(pod(status: Self.running), now: .zero)
        machine.set(Self.running, for: pod())
        #expect(machine.next(now: .zero).isEmpty)
        #expect(machine.status(uid: "u1")?.phase == "Running")
    }

    @Test("two writes for one pod are never under way, and only the newest status follows")
    func latestWins() throws {
        var machine = PodStatusStateMachine()
        machine.observe(pod(), now: .zero)
        machine.set(Self.running, for: pod())
        let first = try #require(machine.next(now: .zero).first)
        machine.set(PodStatus(phase: "Running", message: "a"), for: pod())
        machine.set(PodStatus(phase: "Running", message: "b"), for: pod())
        #expect(machine.next(now: .zero).isEmpty)
        try acknowledge(first, pod(), &machine)
        let second = machine.next(now: .zero)
        #expect(second.count == 1)
        guard case .patch(let body)? = second.first?.call else { return #expect(Bool(false), "no patch follows") }
        #expect(body["status"] == ["message": "b"])
    }

    @Test("different pods are written at the same time, but not too many")
    func concurrency() {
        var machine = PodStatusStateMachine()
        for index in 0..<40 {
            machine.observe(pod("u\(index)"), now: .zero)
            machine.set(Self.running, for: pod("u\(index)"))
        }
        let actions = machine.next(now: .zero)
        #expect(actions.count == PodStatusStateMachine.concurrencyLimit)
        #expect(machine.next(now: .zero).isEmpty)
        machine.completed(actions[0], .failed(Self.notFound), now: .zero, random: 0)
        #expect(machine.next(now: .zero).count == 1)
    }

    @Test("what the API holds is fetched when nobody has told it")
    func fetches() throws {
        var machine = PodStatusStateMachine()
        machine.set(Self.running, for: pod())
        let action = try #require(machine.next(now: .zero).first)
        #expect(action.call == .fetch)
        machine.completed(action, .object(pod()), now: .zero, random: 0)
        #expect(isPatch(machine.next(now: .zero).first))
    }

    @Test("a failed write is tried again after a wait, with the newest status, at least every 10 s")
    func retries() throws {
        var machine = PodStatusStateMachine()
        machine.observe(pod(), now: .zero)
        machine.set(Self.running, for: pod())
        var now = Duration.zero
        for _ in 0..<12 {
            let action = try #require(machine.next(now: now).first)
            machine.completed(action, .failed(Self.unavailable), now: now, random: 0.5)
            // News do not jump the wait: the server is in trouble.
            machine.set(PodStatus(phase: "Running", message: "\(now)"), for: pod())
            #expect(machine.next(now: now).isEmpty)
            let due = try #require(machine.nextDue)
            #expect(due > now && due - now <= .milliseconds(12_500))
            now = due
        }
        #expect(isPatch(machine.next(now: now).first))
    }

    @Test("when the server is back, what it did not answer is tried at once; what it refused waits on")
    func serverReturned() throws {
        let unanswered = APIError(code: .transport(.connectionLost), message: "")
        for (error, isTried) in [(unanswered, true), (Self.unavailable, false)] {
            var machine = PodStatusStateMachine()
            machine.observe(pod(), now: .zero)
            machine.set(Self.running, for: pod())
            let action = try #require(machine.next(now: .zero).first)
            machine.completed(action, .failed(error), now: .zero, random: 0.5)
            #expect(machine.nextDue == .milliseconds(200))
            machine.serverReturned(now: .milliseconds(1))
            #expect(machine.next(now: .milliseconds(1)).isEmpty != isTried)
        }
    }

    @Test("after a conflict the pod is read again; a replaced pod is given up")
    func conflict() throws {
        var machine = PodStatusStateMachine()
        machine.observe(pod(), now: .zero)
        machine.set(Self.running, for: pod())
        machine.completed(try #require(machine.next(now: .zero).first), .failed(Self.conflict), now: .zero, random: 0)
        let fetch = try #require(machine.next(now: .seconds(60)).first)
        #expect(fetch.call == .fetch)
        var other = pod()
        other.metadata.uid = "another"
        machine.completed(fetch, .object(other), now: .seconds(60), random: 0)
        machine.set(PodStatus(phase: "Failed"), for: pod())
        #expect(machine.next(now: .seconds(120)).isEmpty)
        #expect(machine.nextDue == nil)
    }

    @Test("an older version of a pod does not bring back what was written over")
    func staleObservation() throws {
        var machine = PodStatusStateMachine()
        machine.observe(pod(version: "7"), now: .zero)
        machine.set(Self.running, for: pod())
        try acknowledge(try #require(machine.next(now: .zero).first), pod(), &machine, version: "9")
        machine.observe(pod(version: "8"), now: .zero)
        #expect(machine.next(now: .zero).isEmpty)
    }

    @Test("a status somebody else changed is written again, but no more than every 10 s")
    func drift() throws {
        var machine = PodStatusStateMachine()
        machine.observe(pod(), now: .zero)
        machine.set(Self.running, for: pod())
        try acknowledge(try #require(machine.next(now: .zero).first), pod(), &machine)
        machine.observe(pod(version: "3"), now: .seconds(1))
        try acknowledge(try #require(machine.next(now: .seconds(1)).first), pod(), &machine, version: "4")
        machine.observe(pod(version: "5"), now: .seconds(2))
        #expect(machine.next(now: .seconds(2)).isEmpty)
        #expect(machine.nextDue == .seconds(11))
        // News of the node do not wait for that.
        machine.set(PodStatus(phase: "Running", message: "new"), for: pod())
        #expect(isPatch(machine.next(now: .seconds(2)).first))
    }

    @Test("a write the server accepts and ignores is not repeated for ever")
    func ineffective() throws {
        var machine = PodStatusStateMachine()
        machine.observe(pod(), now: .zero)
        machine.set(Self.running, for: pod())
        let action = try #require(machine.next(now: .zero).first)
        machine.completed(action, .object(pod(version: "2")), now: .zero, random: 0)
        #expect(machine.next(now: .zero).isEmpty)
        machine.set(PodStatus(phase: "Running", message: "m"), for: pod())
        #expect(isPatch(machine.next(now: .zero).first))
    }

    @Test("a pod is deleted only after its last status is there")
    func deletesLast() throws {
        var machine = PodStatusStateMachine()
        machine.observe(dying(), now: .zero)
        machine.set(PodStatus(phase: "Succeeded"), for: dying())
        let isDeleting = machine.delete(dying())
        #expect(isDeleting)
        let patch = try #require(machine.next(now: .zero).first)
        #expect(isPatch(patch))
        try acknowledge(patch, dying(), &machine, version: "3")
        let delete = try #require(machine.next(now: .zero).first)
        #expect(delete.call == .delete)
        #expect(delete.target.uid == "u1")
        machine.completed(delete, .failed(Self.unavailable), now: .zero, random: 0)
        let again = try #require(machine.next(now: .seconds(60)).first)
        #expect(again.call == .delete)
        machine.completed(again, .deleted, now: .seconds(60), random: 0)
        #expect(machine.next(now: .seconds(120)).isEmpty)
        #expect(machine.nextDue == nil)
    }

    @Test("a deletion ends when the pod is gone or replaced", arguments: [404, 409])
    func deletionEnds(status: Int) throws {
        let error = APIError(code: .http(status), message: "")
        var machine = PodStatusStateMachine()
        machine.observe(dying(), now: .zero)
        let isDeleting = machine.delete(dying())
        #expect(isDeleting)
        machine.completed(try #require(machine.next(now: .zero).first), .failed(error), now: .zero, random: 0)
        #expect(machine.next(now: .seconds(60)).isEmpty)
        #expect(machine.nextDue == nil)
    }

    @Test("a status the server refuses for good does not keep the pod from being deleted")
    func refusedStatus() throws {
        var machine = PodStatusStateMachine()
        machine.observe(dying(), now: .zero)
        machine.set(PodStatus(phase: "Succeeded"), for: dying())
        _ = machine.delete(dying())
        var now = Duration.zero
        var calls: [PodStatusStateMachine.Action.Call] = []
        while calls.last != .delete, calls.count < 20 {
            now += .seconds(60)
            let action = try #require(machine.next(now: now).first)
            calls.append(action.call)
            machine.completed(
                action, action.call == .fetch ? .object(dying()) : .failed(Self.invalid), now: now, random: 0)
        }
        #expect(calls.last == .delete)
    }

    @Test("nothing is deleted that nobody asked to delete, nor a static pod")
    func neverDeletesUnasked() {
        var machine = PodStatusStateMachine()
        machine.observe(pod(), now: .zero)
        let isDeletingUnasked = machine.delete(pod())
        #expect(!isDeletingUnasked)
        var staticPod = staticPod("s1")
        staticPod.metadata.deletionTimestamp = Timestamp(seconds: 1)
        let isDeletingStatic = machine.delete(staticPod)
        #expect(!isDeletingStatic)
        #expect(machine.next(now: .zero).isEmpty)
    }

    @Test("a static pod's status stays on the node until it has a mirror, then goes to the mirror")
    func mirrors() throws {
        var machine = PodStatusStateMachine()
        machine.observe(staticPod("s1"), now: .zero)
        machine.set(Self.running, for: staticPod("s1"))
        #expect(machine.next(now: .zero).isEmpty)
        #expect(machine.status(uid: "s1")?.phase == "Running")
        machine.setMirror(mirror(of: "s1", uid: "m1"), forStaticUID: "s1", now: .zero)
        let action = try #require(machine.next(now: .zero).first)
        #expect(action.target.uid == "m1")
        guard case .patch(let body) = action.call else { return #expect(Bool(false), "no patch") }
        #expect(body[path: "metadata", "uid"] == "m1")
        // A recreated mirror shows nothing yet.
        machine.completed(action, .failed(Self.notFound), now: .zero, random: 0)
        machine.setMirror(nil, forStaticUID: "s1", now: .zero)
        machine.setMirror(mirror(of: "s1", uid: "m2"), forStaticUID: "s1", now: .zero)
        #expect(machine.next(now: .zero).first?.target.uid == "m2")
    }

    @Test("a static pod that comes back under its UID still has its mirror")
    func mirrorOutlivesPod() {
        var machine = PodStatusStateMachine()
        machine.setMirror(mirror(of: "s1", uid: "m1"), forStaticUID: "s1", now: .zero)
        machine.set(Self.running, for: staticPod("s1"))
        machine.forget(uid: "s1")
        #expect(machine.status(uid: "s1") == nil)
        #expect(machine.next(now: .zero).isEmpty)
        machine.set(Self.running, for: staticPod("s1"))
        #expect(machine.next(now: .zero).first?.target.uid == "m1")
    }

    @Test("a forgotten pod is not written any more, even if a call was under way")
    func forget() throws {
        var machine = PodStatusStateMachine()
        machine.observe(pod(), now: .zero)
        machine.set(Self.running, for: pod())
        let action = try #require(machine.next(now: .zero).first)
        machine.forget(uid: "u1")
        machine.completed(action, .failed(Self.unavailable), now: .zero, random: 0)
        #expect(machine.next(now: .seconds(60)).isEmpty)
        #expect(machine.nextDue == nil)
        #expect(machine.status(uid: "u1") == nil)
    }
}
