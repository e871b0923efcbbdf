import KubernetesAPI
import NIOPosix
import Probes
import Synchronization
import TestSupport
import Testing

@Suite("LifecycleHookRunner", .timeLimit(.minutes(5)))
struct LifecycleHookRunnerTests {
    private func run(
        _ handler: LifecycleHandler, ports: [ContainerPort] = [], podIP: String? = "127.0.0.1",
        timeout: Duration? = .seconds(20), execution: FakeExecution = FakeExecution(.timedOut),
        clock: any Clock<Duration> = ContinuousClock()
    ) async throws -> LifecycleHookOutcome {
        try await LifecycleHookRunner(
            group: MultiThreadedEventLoopGroup.singleton, execution: execution, clock: clock
        ).run(
            handler, container: Container(name: "app", ports: ports), containerID: "c1", podIP: podIP,
            timeout: timeout)
    }

    private func get(
        _ port: IntOrString, scheme: String? = nil, headers: [HTTPHeader]? = nil
    ) -> LifecycleHandler {
        LifecycleHandler(httpGet: HTTPGetAction(path: "/stop", port: port, scheme: scheme, httpHeaders: headers))
    }

    @Test("any answer is success", arguments: [200, 302, 404, 500])
    func anyAnswer(status: Int) async throws {
        let step = LoopbackServer.Step.send("HTTP/1.1 \(status) X\r\ncontent-length: 0\r\n\r\n")
        try await LoopbackServer.with(answer: { _, _ in [step] }) { server async throws in
            let ports = [ContainerPort(name: "web", containerPort: server.containerPort)]
            #expect(try await run(get("web"), ports: ports, timeout: nil) == .success)
            #expect(server.requests[0].components()[0] == "GET /stop HTTP/1.1")
            #expect(server.requests[0].components().contains("user-agent: kube-lifecycle/1.36"))
        }
    }

    @Test("no answer is a failure")
    func noAnswer() async throws {
        let port = try await LoopbackServer.closedPort()
        let url = "http://127.0.0.1:\(port)/stop"
        #expect(
            try await run(get(.int(port)))
                == .failure(message: "Get \"\(url)\": dial tcp 127.0.0.1:\(port): connect: connection refused"))
        try await LoopbackServer.with(answer: { _, _ in [] }) { server async throws in
            let outcome = try await run(get(.int(server.containerPort)), timeout: .milliseconds(50))
            guard case .failure = outcome else { throw UnexpectedHook(outcome) }
        }
    }

    @Test("nowhere to send the request is a failure")
    func noAddress() async throws {
        #expect(try await run(get(80), podIP: nil) == .failure(message: "the pod has no IP address yet"))
        let outcome = try await run(get("nope"))
        guard case .failure = outcome else { throw UnexpectedHook(outcome) }
    }

    @Test("HTTPS falls back to HTTP, but then without the Authorization header")
    func fallback() async throws {
        let answer = { @Sendable (_: Int, request: String) -> [LoopbackServer.Step] in
            request.hasPrefix("GET")
                ? [.send("HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n")]
                : [.send("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"), .close]
        }
        try await LoopbackServer.with(answer: answer) { server async throws in
            let headers = [
                HTTPHeader(name: "authorization", value: "Bearer s"), HTTPHeader(name: "X", value: "y"),
            ]
            #expect(
                try await run(get(.int(server.containerPort), scheme: "HTTPS", headers: headers))
                    == .fallback(
                        message: "request to HTTPS lifecycle hook 127.0.0.1:\(server.port) got HTTP response, "
                            + "retry with HTTP succeeded"))
            let lines = try #require(server.requests.last).components()
            #expect(lines[0] == "GET /stop HTTP/1.1")
            #expect(lines.contains("x: y"))
            #expect(!lines.contains { $0.hasPrefix("authorization") })
        }
    }

    @Test("HTTPS without a certificate to trust is used as it is, Authorization included")
    func https() async throws {
        let step = LoopbackServer.Step.send("HTTP/1.1 200 X\r\ncontent-length: 0\r\n\r\n")
        try await LoopbackServer.with(tls: true, answer: { _, _ in [step] }) { server async throws in
            let headers = [HTTPHeader(name: "Authorization", value: "Bearer s")]
            #expect(
                try await run(get(.int(server.containerPort), scheme: "HTTPS", headers: headers)) == .success)
            #expect(server.requests[0].components().contains("authorization: Bearer s"))
        }
    }

    @Test(
        "a command's exit code decides",
        arguments: [
            (ProbeExecutionResult.exited(code: 0, output: []), LifecycleHookOutcome.success),
            (.exited(code: 2, output: Array("oh".utf8)), .failure(message: "the command exited with 2: oh")),
            (.timedOut, .failure(message: "the command did not end within 9s")),
            (.notRun(message: "gone"), .failure(message: "gone")),
        ])
    func exec(result: ProbeExecutionResult, outcome: LifecycleHookOutcome) async throws {
        let execution = FakeExecution(result)
        let handler = LifecycleHandler(exec: ExecAction(command: ["stop", "$(NOW)"]))
        #expect(try await run(handler, timeout: .seconds(9), execution: execution) == outcome)
        let calls = execution.calls.withLock { $0 }
        #expect(calls == [.init(command: ["stop", "$(NOW)"], containerID: "c1", timeout: .seconds(9))])
    }

    @Test(
        "sleep takes its time on the clock, and no longer than there is",
        arguments: [
            (5, nil, 5, LifecycleHookOutcome.success), (5, .seconds(5), 5, .success),
            (90, .seconds(5), 5, .failure(message: "the sleep of 1m30s did not fit into 5s")),
            (.max, nil, Int64(Int32.max), .success),
        ] as [(Int64, Duration?, Int64, LifecycleHookOutcome)])
    func sleep(seconds: Int64, timeout: Duration?, slept: Int64, outcome: LifecycleHookOutcome) async throws {
        let clock = ManualClock()
        let handler = LifecycleHandler(sleep: SleepAction(seconds: seconds))
        async let ended = run(handler, timeout: timeout, clock: clock)
        await clock.waitForSleeper { $0 == .seconds(slept) }
        clock.advance(by: .seconds(slept))
        #expect(try await ended == outcome)
    }

    @Test("a sleep of no time, and a negative one, end at once")
    func noSleep() async throws {
        for seconds in [Int64(0), -1, .min] {
            let handler = LifecycleHandler(sleep: SleepAction(seconds: seconds))
            #expect(try await run(handler, clock: ManualClock()) == .success)
        }
    }

    @Test("a hook that only has a TCP socket is refused")
    func tcpSocket() async throws {
        let outcome = try await run(LifecycleHandler(tcpSocket: TCPSocketAction(port: 80)))
        #expect(
            outcome
                == .failure(message: "the hook of container \"app\" has no exec, httpGet or sleep to run"))
    }
}

private struct UnexpectedHook: Error, CustomStringConvertible {
    let description: String
    init(_ outcome: LifecycleHookOutcome) { description = "unexpected \(outcome)" }
}
