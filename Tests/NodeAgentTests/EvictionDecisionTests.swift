import KubernetesAPI
import Testing

@testable import NodeAgent

@Suite("When something is reclaimed")
struct EvictionDecisionTests {
    private static let hardMemory = EvictionThreshold(.memoryAvailable, .quantity(.bytes(100)))
    private static let softMemory = EvictionThreshold(
        .memoryAvailable, .quantity(.bytes(300)), gracePeriod: .seconds(60))
    private static let disk = EvictionThreshold(
        .nodefsAvailable, .share(0.1), minimumReclaim: .quantity(.bytes(50)))

    private static func decision(
        _ thresholds: EvictionThreshold..., hold: Duration = .seconds(300)
    ) -> EvictionDecision {
        EvictionDecision(EvictionConfiguration(thresholds: thresholds, pressureTransitionPeriod: hold))
    }

    private static func left(memory: Int64 = 1000, disk: Int64 = 1000) -> [EvictionSignal: EvictionObservation] {
        [
            .memoryAvailable: EvictionObservation(available: memory, capacity: 1000),
            .nodefsAvailable: EvictionObservation(available: disk, capacity: 1000),
        ]
    }

    @Test("a hard threshold counts at once, below it and not at it")
    func hard() {
        var decision = Self.decision(Self.hardMemory)
        #expect(decision.observe(Self.left(memory: 100), now: .seconds(1)).reclaim == nil)
        let outcome = decision.observe(Self.left(memory: 99), now: .seconds(2))
        #expect(outcome.reclaim?.threshold == Self.hardMemory)
        #expect(outcome.reclaim?.observation.available == 99)
        #expect(outcome.conditions == [.memory])
    }

    @Test("a soft threshold shows its condition at once, and counts when it has lasted")
    func soft() {
        var decision = Self.decision(Self.softMemory)
        let first = decision.observe(Self.left(memory: 200), now: .seconds(10))
        #expect(first.conditions == [.memory])
        #expect(first.reclaim == nil)
        #expect(decision.observe(Self.left(memory: 200), now: .seconds(69)).reclaim == nil)
        #expect(decision.observe(Self.left(memory: 200), now: .seconds(70)).reclaim?.threshold == Self.softMemory)
        // Over for a moment, it begins anew.
        #expect(decision.observe(Self.left(memory: 300), now: .seconds(71)).reclaim == nil)
        #expect(decision.observe(Self.left(memory: 200), now: .seconds(72)).reclaim == nil)
        #expect(decision.observe(Self.left(memory: 200), now: .seconds(131)).reclaim == nil)
        #expect(decision.observe(Self.left(memory: 200), now: .seconds(132)).reclaim != nil)
    }

    @Test("once met, a threshold counts until its minimum reclaim is reached")
    func minimumReclaim() {
        var decision = Self.decision(Self.disk)
        // 10 % of 1000, and 50 more.
        #expect(decision.observe(Self.left(disk: 120), now: .seconds(1)).reclaim == nil)
        #expect(decision.observe(Self.left(disk: 99), now: .seconds(2)).reclaim != nil)
        #expect(decision.observe(Self.left(disk: 149), now: .seconds(3)).reclaim != nil)
        #expect(!decision.isReclaimed(Self.left(disk: 149)))
        #expect(decision.isReclaimed(Self.left(disk: 150)))
        #expect(decision.observe(Self.left(disk: 150), now: .seconds(4)).reclaim == nil)
        #expect(decision.observe(Self.left(disk: 120), now: .seconds(5)).reclaim == nil)
    }

    @Test("a condition is held after it was last seen, and not for ever")
    func hold() {
        var decision = Self.decision(Self.hardMemory, hold: .seconds(300))
        #expect(decision.observe(Self.left(memory: 1), now: .seconds(0)).conditions == [.memory])
        #expect(decision.observe(Self.left(memory: 1), now: .seconds(10)).conditions == [.memory])
        #expect(decision.observe(Self.left(), now: .seconds(309)).conditions == [.memory])
        #expect(decision.observe(Self.left(), now: .seconds(310)).conditions == [])
        var quick = Self.decision(Self.hardMemory, hold: .zero)
        #expect(quick.observe(Self.left(memory: 1), now: .seconds(0)).conditions == [.memory])
        #expect(quick.observe(Self.left(), now: .seconds(1)).conditions == [])
    }

    @Test("memory comes before everything else")
    func memoryFirst() {
        var decision = Self.decision(Self.disk, Self.hardMemory)
        let outcome = decision.observe(Self.left(memory: 1, disk: 1), now: .zero)
        #expect(outcome.reclaim?.threshold == Self.hardMemory)
        #expect(outcome.conditions == [.memory, .disk])
        #expect(decision.observe(Self.left(memory: 500, disk: 1), now: .seconds(1)).reclaim?.threshold == Self.disk)
    }

    @Test("what cannot be observed is not short")
    func unobserved() {
        var decision = Self.decision(Self.hardMemory, Self.disk)
        let nothing = EvictionDecision.Outcome(conditions: [], reclaim: nil, shortages: [])
        #expect(decision.observe([:], now: .zero) == nothing)
    }
}
