import Testing

@testable import NodeAgent

@Suite struct VolumeFreshnessTests {
    private let facts = VolumeFreshness.Facts(labels: ["app": "web"], annotations: nil)

    @Test("files nobody has looked at are due; then a change, other facts or the hour make them so")
    func due() {
        var freshness = VolumeFreshness()
        #expect(freshness.isDue(facts, now: .zero))
        freshness.begin(facts)
        freshness.ended(dueAt: nil)
        #expect(!freshness.isDue(facts, now: .seconds(1_000_000)))
        #expect(freshness.isDue(VolumeFreshness.Facts(labels: ["app": "db"], annotations: nil), now: .zero))
        freshness.ended(dueAt: .seconds(60))
        #expect(!freshness.isDue(facts, now: .seconds(59)))
        #expect(freshness.isDue(facts, now: .seconds(60)))
        #expect(freshness.nextLook() == .seconds(60))
    }

    @Test("a change while files are written counts anew")
    func changeMeanwhile() {
        var freshness = VolumeFreshness()
        freshness.begin(facts)
        freshness.changed()
        freshness.ended(dueAt: nil)
        #expect(freshness.isDue(facts, now: .zero))
    }
}
