import Testing

@testable import Probes

@Suite("DueQueue")
struct DueQueueTests {
    @Test("elements come out in the order of their times, whatever order they went in")
    func order() {
        var queue = DueQueue<Int>()
        for number in 0..<200 { queue.push(number * 37 % 200, due: .seconds(number * 37 % 200)) }
        #expect(queue.earliest == .zero)
        var seen: [Int] = []
        while let next = queue.popDue(now: .seconds(1000)) { seen.append(next) }
        #expect(seen == Array(0..<200))
        #expect(queue.earliest == nil)
    }

    @Test("nothing comes out before its time")
    func notYet() {
        var queue = DueQueue<String>()
        queue.push("later", due: .seconds(5))
        queue.push("now", due: .seconds(1))
        #expect(queue.popDue(now: .seconds(1)) == "now")
        #expect(queue.popDue(now: .milliseconds(4999)) == nil)
        #expect(queue.count == 1)
        #expect(queue.popDue(now: .seconds(5)) == "later")
    }
}
