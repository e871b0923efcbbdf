import KubernetesAPI
import Testing

@testable import ContainerImages

@Suite("When images were used last")
struct ImageUsageLedgerTests {
    private static let one = ContentDigest(of: Array("one".utf8))
    private static let two = ContentDigest(of: Array("two".utf8))

    @Test("an image in use is used now, and afterwards since the look that found it unused")
    func use() {
        var ledger = ImageUsageLedger()
        let hasChanged1 = ledger.observe(present: [Self.one], needed: [Self.one], now: 100)
        #expect(hasChanged1)
        #expect(ledger.lastUsed(Self.one, now: 150) == 150)
        let hasChanged2 = ledger.observe(present: [Self.one], needed: [], now: 200)
        #expect(hasChanged2)
        #expect(ledger.lastUsed(Self.one, now: 900) == 200)
    }

    @Test("as long as nothing begins or ends there is nothing to write")
    func quiet() {
        var ledger = ImageUsageLedger()
        _ = ledger.observe(present: [Self.one, Self.two], needed: [Self.one], now: 100)
        let hasChanged3 = ledger.observe(present: [Self.one, Self.two], needed: [Self.one], now: 400)
        #expect(!hasChanged3)
        #expect(ledger.entries[Self.two]?.lastUsed == nil)
    }

    @Test("a use between two looks counts")
    func short() {
        var ledger = ImageUsageLedger()
        _ = ledger.observe(present: [Self.one], needed: [], now: 100)
        let hasChanged4 = ledger.observe(present: [Self.one], needed: [], used: [Self.one], now: 400)
        #expect(hasChanged4)
        #expect(ledger.lastUsed(Self.one, now: 500) == 400)
    }

    @Test("what is gone is forgotten, and comes back as new")
    func gone() {
        var ledger = ImageUsageLedger()
        _ = ledger.observe(present: [Self.one], needed: [Self.one], now: 100)
        _ = ledger.observe(present: [], needed: [], now: 200)
        _ = ledger.observe(present: [Self.one], needed: [], now: 300)
        #expect(ledger.entries == [Self.one: ImageUsageLedger.Entry(firstSeen: 300)])
    }

    @Test("times of a clock that was ahead are brought back to now")
    func clock() {
        var ledger = ImageUsageLedger()
        _ = ledger.observe(present: [Self.one], needed: [Self.one], now: 1_000_000)
        _ = ledger.observe(present: [Self.one], needed: [], now: 1_000_001)
        _ = ledger.observe(present: [Self.one], needed: [], now: 500)
        #expect(ledger.entries[Self.one] == ImageUsageLedger.Entry(firstSeen: 500, lastUsed: 500))
    }

    @Test("what is stored is read back; anything else is no ledger")
    func json() {
        var ledger = ImageUsageLedger()
        _ = ledger.observe(present: [Self.one, Self.two], needed: [Self.one], now: 100)
        #expect(ImageUsageLedger(ledger.json) == ledger)
        #expect(ImageUsageLedger(["version": 2, "images": [:]]) == nil)
        #expect(ImageUsageLedger(["version": 1, "images": ["x": ["firstSeen": 1, "inUse": false]]]) == nil)
    }
}
