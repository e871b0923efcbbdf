import KubernetesAPI
import Testing

@testable import ControlEndpoint

@Suite("Where a disruption budget stands")
struct DisruptionBudgetDecisionTests {
    private static let now = Timestamp(seconds: 1_800_000_000, nanoseconds: 0)

    private func members(_ ready: Int, _ unready: Int = 0) -> [DisruptionBudgetDecision.Member] {
        (0..<ready + unready).map { index in
            DisruptionBudgetDecision.Member([
                "metadata": ["name": .string("p\(index)")],
                "status": [
                    "phase": "Running", "conditions": [["type": "Ready", "status": index < ready ? "True" : "False"]],
                ],
            ])
        }
    }

    private func decide(
        _ spec: PodDisruptionBudgetSpec, _ members: [DisruptionBudgetDecision.Member],
        scale: DisruptionBudgetDecision.Scale = .wanted(0), disrupted: [String: Timestamp]? = nil
    ) -> DisruptionBudgetDecision {
        let status = PodDisruptionBudgetStatus(disruptedPods: disrupted)
        return DisruptionBudgetDecision(
            PodDisruptionBudget(spec: spec, status: status), members: members, scale: scale, now: Self.now)
    }

    @Test(
        "numbers and percentages of what is expected, rounded up",
        arguments: [
            (PodDisruptionBudgetSpec(minAvailable: .int(2)), 3, Int32(0), Int32(2), Int32(1)),
            (PodDisruptionBudgetSpec(minAvailable: .string("50%")), 3, 3, 2, 1),
            (PodDisruptionBudgetSpec(maxUnavailable: .int(1)), 3, 4, 3, 0),
            (PodDisruptionBudgetSpec(maxUnavailable: .string("30%")), 10, 10, 7, 3),
            (PodDisruptionBudgetSpec(minAvailable: .int(5)), 3, 0, 5, 0),
            (PodDisruptionBudgetSpec(minAvailable: .int(0)), 0, 0, 0, 0),
            // Pods that nothing controls are expected by nobody.
            (PodDisruptionBudgetSpec(maxUnavailable: .int(1)), 3, 0, 0, 0),
        ])
    func bounds(spec: PodDisruptionBudgetSpec, ready: Int, wanted: Int32, desired: Int32, allowed: Int32) {
        let status = decide(spec, members(ready), scale: .wanted(wanted)).status
        #expect(status.desiredHealthy == desired)
        #expect(status.disruptionsAllowed == allowed)
    }

    @Test("a budget that depends on a number nobody gives allows nothing and says why")
    func unknownScale() {
        let reason = "found no controllers for pod \"p0\""
        let part = decide(
            PodDisruptionBudgetSpec(minAvailable: .string("50%")), members(3), scale: .unknown(reason: reason))
        #expect(part.status.disruptionsAllowed == 0)
        #expect(part.status.conditions?.first?.reason == "SyncFailed")
        #expect(part.status.conditions?.first?.message == reason)
        #expect(part.granting("p0", now: Self.now) == nil)
        let number = decide(PodDisruptionBudgetSpec(minAvailable: .int(1)), members(3), scale: .unknown(reason: reason))
        #expect(number.status.disruptionsAllowed == 2)
    }

    @Test("a granted pod counts as gone until it is, for two minutes")
    func granted() {
        let spec = PodDisruptionBudgetSpec(minAvailable: .int(1))
        let first = decide(spec, members(2)).granting("p0", now: Self.now)
        #expect(first?.disruptionsAllowed == 0)
        let soon = decide(spec, members(2), disrupted: first?.disruptedPods)
        #expect(soon.status.disruptionsAllowed == 0)
        #expect(soon.granting("p1", now: Self.now) == nil)
        let old = Timestamp(seconds: Self.now.seconds - 121, nanoseconds: 0)
        #expect(decide(spec, members(2), disrupted: ["p0": old]).status.disruptionsAllowed == 1)
    }

    @Test("a pod that is not ready may go when the budget is met, or when it says so")
    func unhealthy() {
        let sick = members(0, 1)[0]
        let met = decide(PodDisruptionBudgetSpec(minAvailable: .int(1)), members(1, 1))
        #expect(met.allowsWithoutBudget(sick))
        let unmet = decide(PodDisruptionBudgetSpec(minAvailable: .int(2)), members(1, 1))
        #expect(!unmet.allowsWithoutBudget(sick))
        let always = PodDisruptionBudgetSpec(minAvailable: .int(2), unhealthyPodEvictionPolicy: "AlwaysAllow")
        #expect(decide(always, members(1, 1)).allowsWithoutBudget(sick))
        #expect(!decide(always, members(1, 1)).allowsWithoutBudget(members(1)[0]))
    }
}
