import Testing

@testable import LinuxKernel

struct HelperProcessTests {
    @Test("a program is run to its end, with what it says and how it ends")
    func outcome() async throws {
        let good = try await HelperProcess.run("/bin/sh", ["-c", "echo said; echo more >&2"], timeout: .seconds(60))
        #expect(good == HelperProcess.Outcome(exit: .code(0), output: "said\nmore\n"))
        #expect(good.isSuccess)
        let bad = try await HelperProcess.run("/bin/sh", ["-c", "exit 3"], timeout: .seconds(60))
        #expect(bad == HelperProcess.Outcome(exit: .code(3), output: ""))
    }

    @Test("one that does not end is killed, and one that is not there is an error")
    func limits() async throws {
        let hung = try await HelperProcess.run("/bin/sleep", ["1000"], timeout: .milliseconds(50))
        #expect(hung.exit == nil)
        #expect(!hung.isSuccess)
        await #expect(throws: KernelError.self) {
            try await HelperProcess.run("/nonexistent/program", [], timeout: .seconds(60))
        }
    }

    @Test("one that nobody waits for any more is killed, and its end is told")
    func cancellation() async throws {
        let (ends, end) = AsyncStream<Void>.makeStream()
        let began = ContinuousClock.now
        try await withThrowingTaskGroup(of: HelperProcess.Outcome.self) { group in
            group.addTask {
                try await HelperProcess.run("/bin/sleep", ["1000"], timeout: .seconds(1000)) { end.yield() }
            }
            group.cancelAll()
            let outcome = try await group.next()
            #expect(outcome?.exit == nil)
        }
        for await _ in ends { break }
        #expect(began.duration(to: .now) < .seconds(900))
    }

    @Test("many run at a time: each of these ends when all of them have begun")
    func crowd() async throws {
        let (tree, count) = (try TemporaryTree(), 40)
        let script = "cd \(tree.path); : >$0; until set -- *; [ $# -ge \(count) ]; do sleep 0.1; done"
        try await withThrowingTaskGroup(of: HelperProcess.Outcome.self) { group in
            for number in 0..<count {
                group.addTask {
                    try await HelperProcess.run("/bin/sh", ["-c", script, "\(number)"], timeout: .seconds(120))
                }
            }
            for try await outcome in group { #expect(outcome.isSuccess) }
        }
        withExtendedLifetime(tree) {}
    }
}
