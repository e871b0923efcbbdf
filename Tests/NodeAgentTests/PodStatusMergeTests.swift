import KubernetesAPI
import Testing

@testable import NodeAgent

@Suite("What a pod's status becomes in the API")
struct PodStatusMergeTests {
    private static let then = Timestamp(seconds: 1_000)
    private static let now = Timestamp(seconds: 2_000, nanoseconds: 5)

    private func condition(
        _ type: String, _ status: String, at time: Timestamp = now, reason: String? = nil, generation: Int64? = nil
    ) -> PodCondition {
        PodCondition(
            type: type, observedGeneration: generation, status: status, lastTransitionTime: time, reason: reason)
    }

    @Test(
        "a terminal phase is for ever", arguments: ["Succeeded", "Failed"],
        ["Running", "Pending", "Succeeded", "Failed"])
    func terminalPhase(existing: String, reported: String) {
        let merged = PodStatusMerge.merge(
            PodStatus(phase: reported, reason: "New"), over: PodStatus(phase: existing, reason: "Old"))
        #expect(merged.phase == existing)
        #expect(merged.reason == (existing == reported ? "New" : "Old"))
    }

    @Test("a pod is not said to have ended while one of its containers runs")
    func terminalPhaseWithheld() {
        let running = ContainerStatus(name: "a", state: ContainerState(running: ContainerStateRunning()))
        let reported = PodStatus(phase: "Failed", reason: "Evicted", containerStatuses: [running])
        let merged = PodStatusMerge.merge(reported, over: PodStatus(phase: "Running"))
        #expect(merged.phase == "Running")
        #expect(merged.reason == nil)
        #expect(PodStatusMerge.merge(reported, over: PodStatus()).phase == "Pending")
    }

    @Test("a restart count never goes down, whichever kind of container", arguments: [(3, 5), (5, 3)])
    func restartCount(existing: Int32, reported: Int32) {
        for path in [
            \PodStatus.containerStatuses, \.initContainerStatuses, \.ephemeralContainerStatuses,
        ] as [WritableKeyPath<PodStatus, [ContainerStatus]?>] {
            var (old, new) = (PodStatus(), PodStatus())
            old[keyPath: path] = [ContainerStatus(name: "a", restartCount: existing)]
            new[keyPath: path] = [ContainerStatus(name: "a", restartCount: reported), ContainerStatus(name: "b")]
            let merged = PodStatusMerge.merge(new, over: old)
            #expect(merged[keyPath: path]?.map(\.restartCount) == [5, 0])
        }
    }

    @Test("the start time stays, and times are kept in whole seconds")
    func startTime() {
        let first = PodStatusMerge.merge(PodStatus(startTime: Self.now), over: PodStatus())
        #expect(first.startTime == Timestamp(seconds: 2_000))
        let later = PodStatusMerge.merge(PodStatus(startTime: Self.now), over: PodStatus(startTime: Self.then))
        #expect(later.startTime == Self.then)
    }

    @Test("conditions of others stay as they are, ours come and go")
    func foreignConditions() {
        let existing = PodStatus(conditions: [
            condition("example.com/gate", "True", at: Self.then), condition("PodResizePending", "True", at: Self.then),
            condition("Ready", "True", at: Self.then),
        ])
        let reported = PodStatus(conditions: [
            condition("Ready", "True"), condition("Initialized", "True"), condition("example.com/gate", "False"),
        ])
        let merged = PodStatusMerge.merge(reported, over: existing)
        let byType = Dictionary(uniqueKeysWithValues: (merged.conditions ?? []).map { ($0.type, $0) })
        #expect(Set(byType.keys) == ["Ready", "Initialized", "example.com/gate"])
        #expect(byType["example.com/gate"] == condition("example.com/gate", "True", at: Self.then))
        #expect(byType["Ready"]?.lastTransitionTime == Self.then)
        #expect(byType["Initialized"]?.lastTransitionTime == Self.now.wholeSeconds)
    }

    @Test("a condition's transition time moves with its status only, and its generation never back")
    func transitions() {
        let existing = PodStatus(conditions: [condition("Ready", "False", at: Self.then, reason: "A", generation: 7)])
        let same = PodStatusMerge.merge(
            PodStatus(conditions: [condition("Ready", "False", reason: "B", generation: 6)]), over: existing)
        #expect(same.conditions == [condition("Ready", "False", at: Self.then, reason: "B", generation: 7)])
        let changed = PodStatusMerge.merge(
            PodStatus(conditions: [condition("Ready", "True", generation: 8)]), over: existing)
        #expect(changed.conditions?.first?.lastTransitionTime == Self.now.wholeSeconds)
        #expect(changed.conditions?.first?.observedGeneration == 8)
    }

    @Test("a pod that has ended is not ready")
    func endedIsNotReady() {
        let reported = PodStatus(
            phase: "Succeeded", conditions: [condition("Ready", "True"), condition("ContainersReady", "True")])
        let merged = PodStatusMerge.merge(reported, over: PodStatus())
        #expect(merged.conditions?.map(\.status) == ["False", "False"])
        #expect(merged.conditions?.map(\.reason) == ["PodCompleted", "PodCompleted"])
    }

    @Test("a disruption is announced only together with the terminal phase", arguments: ["Running", "Failed"])
    func disruption(phase: String) {
        let reported = PodStatus(phase: phase, conditions: [condition("DisruptionTarget", "True")])
        let merged = PodStatusMerge.merge(reported, over: PodStatus())
        #expect((merged.conditions?.isEmpty == false) == (phase == "Failed"))
    }

    @Test("nothing is written when the API would hold the same")
    func noPatch() {
        let existing = PodStatus(
            phase: "Running", conditions: [condition("b", "True"), condition("Ready", "True")], podIPs: [],
            startTime: Self.then, containerStatuses: [ContainerStatus(name: "a", lastState: ContainerState())])
        let wanted = PodStatus(
            phase: "Running", conditions: [condition("Ready", "True"), condition("b", "True")],
            startTime: Timestamp(seconds: 1_000, nanoseconds: 9), containerStatuses: [ContainerStatus(name: "a")])
        #expect(PodStatusMerge.patch(from: existing, to: wanted, uid: "u") == nil)
    }

    /// The patch, applied by the rules of the API server, must give what is wanted.
    @Test("a patch makes the API hold exactly what is wanted", arguments: 0..<6)
    func patchRoundTrip(index: Int) throws {
        let base = PodStatus(
            phase: "Pending", conditions: [condition("Ready", "False", reason: "R"), condition("x", "True")],
            message: "m", podIPs: [PodIP(ip: "10.0.0.1"), PodIP(ip: "fd00::1")],
            containerStatuses: [ContainerStatus(name: "a"), ContainerStatus(name: "b", restartCount: 1)],
            allocatedResources: ["cpu": .milli(100), "memory": .bytes(1)])
        var wanted = base
        switch index {
        case 0: wanted.podIPs = [PodIP(ip: "10.0.0.2")]
        case 1: wanted.message = nil
        case 2: wanted.conditions = [condition("Ready", "True"), condition("x", "True")]
        case 3: wanted.conditions = [condition("x", "True")]
        case 4: wanted.containerStatuses = [ContainerStatus(name: "b", ready: true)]
        default: wanted.allocatedResources = ["cpu": .milli(200)]
        }
        let patch = try #require(PodStatusMerge.patch(from: base, to: wanted, uid: "u"))
        #expect(patch[path: "metadata", "uid"]?.stringValue == "u")
        let object = try JSONValueEncoder().encode(Pod(metadata: ObjectMeta(uid: "u"), status: base))
        let patched = try StrategicMergePatch.apply(patch, to: object, as: Pod.self)
        let result = try JSONValueDecoder().decode(Pod.self, from: patched)
        #expect(result.status.map(PodStatusMerge.normalized) == PodStatusMerge.normalized(wanted))
    }
}
