import Testing

@testable import ContainerImages

@Suite("Which images may go, and in which order")
struct ImageCollectionPlanTests {
    private typealias Candidate = ImageCollectionPlan.Candidate
    private typealias Disk = ImageCollectionPlan.Disk

    private static let hour: Int64 = 3600
    private static let now: Int64 = 1_000_000

    private static func image(
        _ id: String, seen: Int64 = 24, used: Int64? = nil, isPinned: Bool = false, isNeeded: Bool = false
    ) -> Candidate {
        Candidate(
            id: id, firstSeen: now - seen * hour, lastUsed: used.map { now - $0 * hour }, isPinned: isPinned,
            isNeeded: isNeeded)
    }

    @Test("the image used longest ago goes first; one never used counts from when it came")
    func order() {
        let plan = ImageCollectionPlan(
            [
                Self.image("yesterday", seen: 50, used: 24), Self.image("now", seen: 60, used: 1),
                Self.image("never", seen: 30), Self.image("old", seen: 70, used: 40),
            ], policy: ImageCollectionPolicy(), now: Self.now)
        #expect(plan.spare == ["old", "never", "yesterday", "now"])
        #expect(plan.expired.isEmpty)
    }

    @Test("what a pod needs and what is pinned never goes, however old it is")
    func kept() {
        let plan = ImageCollectionPlan(
            [
                Self.image("needed", seen: 9000, used: 8000, isNeeded: true),
                Self.image("pinned", seen: 9000, used: 8000, isPinned: true), Self.image("free", seen: 9000),
            ], policy: ImageCollectionPolicy(maximumAge: .seconds(3600)), now: Self.now)
        #expect(plan.expired == ["free"])
        #expect(plan.spare.isEmpty)
    }

    @Test("what came less than the minimum age ago stays; a time that is still to come is no age")
    func minimumAge() {
        let young = Candidate(id: "young", firstSeen: Self.now - 119, lastUsed: nil)
        let grown = Candidate(id: "grown", firstSeen: Self.now - 120, lastUsed: nil)
        let future = Candidate(id: "future", firstSeen: Self.now + 10_000, lastUsed: nil)
        let lost = Candidate(id: "lost", firstSeen: .max, lastUsed: .min)
        let plan = ImageCollectionPlan(
            [young, grown, future, lost], policy: ImageCollectionPolicy(minimumAge: .seconds(120)), now: Self.now)
        #expect(plan.spare == ["grown"])
        #expect(plan.young == 3)
    }

    @Test("the maximum age counts from the last use, and nothing expires without one")
    func maximumAge() {
        let images = [Self.image("used", seen: 100, used: 2), Self.image("unused", seen: 100, used: 5)]
        let policy = ImageCollectionPolicy(maximumAge: .seconds(3 * Self.hour))
        #expect(ImageCollectionPlan(images, policy: policy, now: Self.now).expired == ["unused"])
        #expect(ImageCollectionPlan(images, policy: ImageCollectionPolicy(), now: Self.now).expired.isEmpty)
    }

    @Test(
        "above the high threshold so much is freed that the low one is reached",
        arguments: [
            // (used of 1000, high, low, bytes to free)
            (840, 85, 80, 0), (850, 85, 80, 50), (1000, 85, 80, 200), (1000, 100, 80, 0), (1, 0, 0, 1),
        ] as [(Int64, Int, Int, Int64)])
    func amount(used: Int64, high: Int, low: Int, expected: Int64) {
        let policy = ImageCollectionPolicy(highThresholdPercent: high, lowThresholdPercent: low)
        let disk = Disk(capacityBytes: 1000, availableBytes: 1000 - used)
        #expect(ImageCollectionPlan.bytesToFree(on: disk, policy: policy) == expected)
    }

    @Test("figures that no disk has are no trap")
    func extremes() {
        let policy = ImageCollectionPolicy(highThresholdPercent: 1, lowThresholdPercent: 0)
        for (capacity, available) in [(Int64.max, 0), (0, 0), (-1, -1), (Int64.min, .max), (1, .max)]
            as [(Int64, Int64)]
        {
            let disk = Disk(capacityBytes: capacity, availableBytes: available)
            #expect(ImageCollectionPlan.bytesToFree(on: disk, policy: policy) >= 0)
        }
    }
}
