import Testing

@testable import NodeServer

struct SessionCountTests {
    @Test("a pod has no more sessions than it may, and what is given back can be taken again")
    func pod() throws {
        let sessions = SessionCount()
        var tickets = [SessionCount.Ticket]()
        for _ in 0..<64 {
            let ticket = sessions.take("a")
            tickets.append(try #require(ticket))
        }
        #expect(sessions.take("a") == nil)
        #expect(sessions.take("b") != nil, "another pod is not held up by it")
        sessions.giveBack(tickets.removeLast())
        #expect(sessions.take("a") != nil)
        #expect(sessions.take("a") == nil)
    }

    @Test("all pods together have no more than the node's")
    func node() {
        let sessions = SessionCount()
        let taken = (0..<300).count { sessions.take("pod\($0)") != nil }
        #expect(taken == 256)
    }
}
