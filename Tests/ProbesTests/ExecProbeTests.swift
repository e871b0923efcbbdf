import KubernetesAPI
import Probes
import Synchronization
import Testing

@Suite("ExecProbe")
struct ExecProbeTests {
    private func run(
        _ result: ProbeExecutionResult, command: [String] = ["check"], env: [EnvVar] = []
    ) async throws -> (ProbeOutcome, [FakeExecution.Call]) {
        let execution = FakeExecution(result)
        let outcome = try await ProbeRunner.run(
            Probe(exec: ExecAction(command: command)), env: env, timeout: .seconds(90), execution: execution)
        return (outcome, execution.calls.withLock { $0 })
    }

    @Test("exit code 0 is success, any other a failure with the output")
    func exitCodes() async throws {
        let output = Array("well\n".utf8)
        #expect(try await run(.exited(code: 0, output: output)).0 == .success(message: "well\n"))
        for code in [Int32(1), 137, -1] {
            #expect(try await run(.exited(code: code, output: output)).0 == .failure(message: "well\n"))
        }
    }

    @Test("a command out of time is a failure, one that cannot be run is not")
    func notEnded() async throws {
        #expect(
            try await run(.timedOut, command: ["sh", "-c", "sleep \"9\""]).0
                == .failure(message: #"command timed out: "sh -c sleep \"9\"" timed out after 1m30s"#))
        #expect(try await run(.notRun(message: "no such container")).0 == .error(message: "no such container"))
    }

    @Test("of the output the first 10 KiB are used, and bytes that are no text are replaced")
    func output() async throws {
        let (outcome, _) = try await run(.exited(code: 1, output: [0xFF] + [UInt8](repeating: 0x61, count: 99999)))
        #expect(outcome == .failure(message: "\u{FFFD}" + String(repeating: "a", count: 10239)))
    }

    @Test("only variables written in the container's env are expanded, and only once")
    func expansion() async throws {
        let env = [
            EnvVar(name: "A", value: "one"), EnvVar(name: "B", value: "$(A)"), EnvVar(name: "A", value: "two"),
            EnvVar(name: "SECRET", valueFrom: EnvVarSource()),
        ]
        let (_, calls) = try await run(
            .exited(code: 0, output: []), command: ["$(A)", "x$(B)y", "$$(A)", "$(NONE)", "<$(SECRET)>"], env: env)
        #expect(
            calls == [
                .init(
                    command: ["two", "x$(A)y", "$(A)", "$(NONE)", "<>"], containerID: "c1", timeout: .seconds(90))
            ])
    }

    @Test("a command that grows without bound is not run")
    func bomb() async throws {
        let env = [EnvVar(name: "A", value: String(repeating: "x", count: 100_000))]
        let (outcome, calls) = try await run(
            .exited(code: 0, output: []), command: [String(repeating: "$(A)", count: 100)], env: env)
        guard case .error = outcome else { throw Unexpected(outcome) }
        #expect(calls == [])
    }

    @Test("a probe without a handler cannot be run")
    func noHandler() async throws {
        #expect(
            try await ProbeRunner.run(Probe())
                == .error(message: "the probe of container \"app\" has no exec, httpGet, tcpSocket or grpc"))
    }
}
