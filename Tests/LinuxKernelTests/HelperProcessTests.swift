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
}
