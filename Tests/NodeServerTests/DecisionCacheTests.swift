import Testing

@testable import NodeServer

struct DecisionCacheTests {
    private let start = ContinuousClock.now

    @Test("a decision holds for its time and not a moment longer")
    func time() {
        var cache = DecisionCache<String, Int>(limit: 10)
        cache.keep(1, for: "a", at: start, lasting: .seconds(30))
        #expect(cache.decision(for: "a", at: start + .seconds(29)) == 1)
        #expect(cache.decision(for: "a", at: start + .seconds(30)) == nil)
        cache.keep(2, for: "a", at: start + .seconds(30), lasting: .seconds(30))
        #expect(cache.decision(for: "a", at: start + .seconds(59)) == 2)
    }

    @Test("it never grows past its limit, and forgets what is over before what holds")
    func limit() {
        var cache = DecisionCache<Int, Int>(limit: 10)
        for key in 0..<6 { cache.keep(key, for: key, at: start, lasting: .seconds(1)) }
        for key in 6..<11 { cache.keep(key, for: key, at: start + .seconds(2), lasting: .seconds(10)) }
        #expect(cache.count == 5)
        for key in 100..<200 {
            cache.keep(key, for: key, at: start + .seconds(3), lasting: .seconds(10))
            #expect(cache.count <= 10)
        }
        #expect(cache.decision(for: 199, at: start + .seconds(3)) == 199)
        #expect(cache.decision(for: 6, at: start + .seconds(3)) == nil)
    }
}
