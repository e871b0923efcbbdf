import Testing

@testable import ContainerImages

@Suite("TransferPlan")
struct TransferPlanTests {
    @Test("a broken transfer goes on where it broke, at once after progress, ever later without")
    func resumes() {
        var plan = TransferPlan(endpoints: 1)
        #expect(plan.first == .attempt(endpoint: 0, offset: 0, after: .zero))
        plan.received(100)
        #expect(plan.failed(.broken) == .attempt(endpoint: 0, offset: 100, after: .milliseconds(500)))
        #expect(plan.failed(.broken) == .attempt(endpoint: 0, offset: 100, after: .seconds(1)))
        #expect(plan.failed(.broken) == .attempt(endpoint: 0, offset: 100, after: .seconds(2)))
        #expect(plan.failed(.broken) == .giveUp)
    }

    @Test("progress makes the tries count anew, but not for ever")
    func bounded() {
        var plan = TransferPlan(endpoints: 1)
        var tries = 0
        var step = plan.first
        while step != .giveUp, tries < 1000 {
            plan.received(1)
            step = plan.failed(.broken)
            tries += 1
        }
        #expect(tries == 51)
    }

    @Test("a refusal goes on to the next endpoint at once, with what has come already")
    func nextEndpoint() {
        var plan = TransferPlan(endpoints: 2)
        plan.received(7)
        #expect(plan.failed(.refused) == .attempt(endpoint: 1, offset: 7, after: .zero))
        #expect(plan.failed(.refused) == .giveUp)
    }

    @Test("a busy registry is waited for as long as it asks, but not for longer than a minute")
    func busy() {
        var plan = TransferPlan(endpoints: 1)
        #expect(plan.failed(.busy(retryAfter: .seconds(7))) == .attempt(endpoint: 0, offset: 0, after: .seconds(7)))
        #expect(plan.failed(.busy(retryAfter: nil)) == .attempt(endpoint: 0, offset: 0, after: .seconds(1)))
        #expect(plan.failed(.busy(retryAfter: .seconds(61))) == .giveUp)
        #expect(RetryAfter.parse("120") == .seconds(120))
        #expect(RetryAfter.parse("-1") == nil && RetryAfter.parse("99999999999") == nil && RetryAfter.parse("x") == nil)
    }

    @Test("an endpoint that cannot be reached is tried twice")
    func unreachable() {
        var plan = TransferPlan(endpoints: 1)
        #expect(plan.failed(.unreachable) == .attempt(endpoint: 0, offset: 0, after: .milliseconds(500)))
        #expect(plan.failed(.unreachable) == .giveUp)
        var none = TransferPlan(endpoints: 0)
        #expect(none.first == .giveUp)
        #expect(none.failed(.broken) == .giveUp)
    }

    @Test(
        "the bytes of a partial answer are put where they belong, or it is refused",
        arguments: [
            (206, "bytes 100-199/200", 0), (206, "bytes 90-199/200", 10), (206, "bytes 101-199/200", nil),
            (206, nil, nil), (206, "bytes */200", nil), (206, "bytes -1-2/3", nil), (200, nil, 100),
        ] as [(Int, String?, Int64?)])
    func contentRange(_ status: Int, _ header: String?, _ skipped: Int64?) {
        #expect(ContentRange.bytesToSkip(status: status, header: header, offset: 100) == skipped)
    }

    @Test("a trickle is a stall, a slow line is not")
    func stall() {
        var watch = StallWatch(now: .zero)
        let verdicts = [
            watch.received(1, now: .seconds(299)), watch.received(1, now: .seconds(300)),
            watch.received(64 << 10, now: .seconds(600)),
        ]
        #expect(verdicts == [false, true, false])
    }
}
