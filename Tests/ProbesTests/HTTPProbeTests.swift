import KubernetesAPI
import Probes
import Testing

@Suite("HTTPProbe", .timeLimit(.minutes(5)))
struct HTTPProbeTests {
    private func answer(_ status: String, _ headers: String = "", body: String = "") -> LoopbackServer.Step {
        .send("HTTP/1.1 \(status)\r\ncontent-length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
    }

    private func get(
        _ server: LoopbackServer, _ path: String? = "/", scheme: String? = nil, host: String? = nil,
        headers: [HTTPHeader]? = nil, timeout: Duration = .seconds(20)
    ) async throws -> ProbeOutcome {
        let action = HTTPGetAction(
            path: path, port: .int(server.containerPort), host: host, scheme: scheme, httpHeaders: headers)
        return try await ProbeRunner.run(Probe(httpGet: action), timeout: timeout)
    }

    @Test(
        "a status of 200 to 399 is success, with a warning where a redirect is not followed",
        arguments: [
            ("200 OK", ProbeOutcome.success(message: "body")), ("204 No Content", .success(message: "body")),
            ("299 X", .success(message: "body")),
            ("300 X", .warning(message: "Probe terminated redirects, Response body: body")),
            ("302 X", .warning(message: "Probe terminated redirects, Response body: body")),
            ("399 X", .warning(message: "Probe terminated redirects, Response body: body")),
            ("400 X", .failure(message: "HTTP probe failed with statuscode: 400")),
            ("404 X", .failure(message: "HTTP probe failed with statuscode: 404")),
            ("500 X", .failure(message: "HTTP probe failed with statuscode: 500")),
            ("503 X", .failure(message: "HTTP probe failed with statuscode: 503")),
        ])
    func statuses(status: String, outcome: ProbeOutcome) async throws {
        let step: LoopbackServer.Step =
            status.hasPrefix("204") ? .send("HTTP/1.1 204 X\r\n\r\n") : answer(status, body: "body")
        let expected = status.hasPrefix("204") ? ProbeOutcome.success(message: "") : outcome
        try await LoopbackServer.with(answer: { _, _ in [step] }) { server async throws in
            #expect(try await get(server) == expected)
        }
    }

    @Test("the request is what the kubelet sends")
    func request() async throws {
        try await LoopbackServer.with(answer: { _, _ in [answer("200 OK")] }) { server async throws in
            #expect(try await get(server, "healthz?full=1#top") == .success(message: ""))
            let lines = server.requests[0].components()
            #expect(lines[0] == "GET /healthz?full=1 HTTP/1.1")
            #expect(
                Set(lines.dropFirst()) == [
                    "host: 127.0.0.1:\(server.port)", "user-agent: kube-probe/1.36", "accept: */*",
                    "connection: close",
                ])
        }
    }

    @Test("an absent path is the root, and one with odd characters is encoded")
    func paths() async throws {
        try await LoopbackServer.with(answer: { _, _ in [answer("200 OK")] }) { server async throws in
            for path in [nil, "", "/a b/ü?x=%41&y=%", "/x\r\nEvil: 1"] {
                #expect(try await get(server, path) == .success(message: ""))
            }
            #expect(
                server.requests.map { $0.components()[0] } == [
                    "GET / HTTP/1.1", "GET / HTTP/1.1", "GET /a%20b/%C3%BC?x=%41&y=%25 HTTP/1.1",
                    "GET /x%0D%0AEvil:%201 HTTP/1.1",
                ])
        }
    }

    @Test("the author's headers replace ours, an empty value removes them, and Host is honoured")
    func headers() async throws {
        try await LoopbackServer.with(answer: { _, _ in [answer("200 OK")] }) { server async throws in
            let headers = [
                HTTPHeader(name: "user-agent", value: ""), HTTPHeader(name: "Accept", value: "text/plain"),
                HTTPHeader(name: "HOST", value: "shop.example"), HTTPHeader(name: "X-Two", value: "a"),
                HTTPHeader(name: "X-Two", value: "b"), HTTPHeader(name: "X-Empty", value: ""),
                HTTPHeader(name: "Content-Length", value: "5"), HTTPHeader(name: "Connection", value: "keep-alive"),
            ]
            #expect(try await get(server, headers: headers) == .success(message: ""))
            #expect(
                server.requests[0].components().dropFirst().sorted() == [
                    "accept: text/plain", "connection: close", "host: shop.example", "x-empty: ", "x-two: a",
                    "x-two: b",
                ])
        }
    }

    @Test("a header value that would add headers is not sent")
    func headerInjection() async throws {
        try await LoopbackServer.with(answer: { _, _ in [answer("200 OK")] }) { server async throws in
            let headers = [HTTPHeader(name: "X", value: "a\r\nEvil: 1")]
            let outcome = try await get(server, headers: headers)
            guard case .failure = outcome else { throw Unexpected(outcome) }
            #expect(server.requests == [])
        }
    }

    @Test("redirects on the same host are followed, on whatever port", arguments: [301, 302, 303, 307, 308])
    func redirect(status: Int) async throws {
        try await LoopbackServer.with(answer: { _, _ in [answer("200 OK", body: "there")] }) { there async throws in
            let locations = ["/two/./x/../b?q=1", "c", "?d", "http://127.0.0.1:\(there.port)/end"]
            let step = { @Sendable (number: Int, _: String) in
                [answer("\(status) X", "location: \(locations[number])\r\n")]
            }
            try await LoopbackServer.with(answer: step) { server async throws in
                let headers = [HTTPHeader(name: "Host", value: "shop.example"), HTTPHeader(name: "X", value: "y")]
                #expect(try await get(server, "/one", headers: headers) == .success(message: "there"))
                #expect(
                    server.requests.map { $0.components()[0] } == [
                        "GET /one HTTP/1.1", "GET /two/b?q=1 HTTP/1.1", "GET /two/c HTTP/1.1", "GET /two/c?d HTTP/1.1",
                    ])
                #expect(server.requests.allSatisfy { $0.components().contains("host: shop.example") })
                #expect(there.requests[0].components().contains("host: 127.0.0.1:\(there.port)"))
                #expect(there.requests[0].components().contains("x: y"))
            }
        }
    }

    @Test(
        "a redirect to another host is not followed but counts, with a warning",
        arguments: ["http://other.invalid/", "//other.invalid:80/x", "https://user@[::1]:1/", "http://127.0.0.2/"])
    func otherHost(location: String) async throws {
        let step = answer("302 X", "location: \(location)\r\n", body: "go away")
        try await LoopbackServer.with(answer: { _, _ in [step] }) { server async throws in
            #expect(
                try await get(server) == .warning(message: "Probe terminated redirects, Response body: go away"))
            #expect(server.requests.count == 1)
        }
    }

    @Test("ten redirects are too many")
    func manyRedirects() async throws {
        let step = answer("302 X", "location: /again\r\n")
        try await LoopbackServer.with(answer: { _, _ in [step] }) { server async throws in
            let url = "http://127.0.0.1:\(server.port)/again"
            #expect(try await get(server) == .failure(message: "Get \"\(url)\": stopped after 10 redirects"))
            #expect(server.requests.count == 10)
        }
    }

    @Test(
        "a Location that leads nowhere is a failure",
        arguments: [
            ("ftp://127.0.0.1/", "unsupported protocol scheme \"ftp\""),
            ("http:opaque", "failed to parse Location header \"http:opaque\""),
            ("http://127.0.0.1:99999/", "failed to parse Location header \"http://127.0.0.1:99999/\""),
            ("http://[::1/", "failed to parse Location header \"http://[::1/\""),
            ("http:///x", "failed to parse Location header \"http:///x\""),
        ])
    func badLocation(location: String, reason: String) async throws {
        let step = answer("302 X", "location: \(location)\r\n")
        try await LoopbackServer.with(answer: { _, _ in [step] }) { server async throws in
            let url = "http://127.0.0.1:\(server.port)/"
            #expect(try await get(server) == .failure(message: "Get \"\(url)\": \(reason)"))
        }
    }

    @Test("a server that never answers is a failure after the timeout")
    func silence() async throws {
        try await LoopbackServer.with(answer: { _, _ in [] }) { server async throws in
            let url = "http://127.0.0.1:\(server.port)/"
            #expect(
                try await get(server, timeout: .milliseconds(50))
                    == .failure(
                        message: "Get \"\(url)\": context deadline exceeded "
                            + "(Client.Timeout exceeded while awaiting headers)"))
        }
    }

    @Test("a body that does not end in time says nothing about the container")
    func slowBody() async throws {
        let step = LoopbackServer.Step.send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this")
        try await LoopbackServer.with(answer: { _, _ in [step] }) { server async throws in
            // On a busy machine the head may take its time; then it has more of it.
            var outcome = ProbeOutcome.ok
            for timeout in [Duration.milliseconds(200), .seconds(3), .seconds(20)] {
                outcome = try await get(server, timeout: timeout)
                if case .error = outcome { break }
            }
            #expect(
                outcome
                    == .error(
                        message: "context deadline exceeded (Client.Timeout or context cancellation while reading body)"
                    ))
        }
    }

    @Test("of a body without end only the first 10 KiB are read")
    func hugeBody() async throws {
        let body = String(repeating: "x", count: 300_000)
        let step = LoopbackServer.Step.send("HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n\(body)")
        try await LoopbackServer.with(answer: { _, _ in [step] }) { server async throws in
            #expect(try await get(server) == .success(message: String(repeating: "x", count: 10240)))
        }
    }

    @Test("an answer that ends with the connection is complete, closed or half-closed")
    func untilClose() async throws {
        for end in [LoopbackServer.Step.close, .halfClose] {
            let steps = [.send("HTTP/1.0 200 OK\r\n\r\nall of it"), end]
            try await LoopbackServer.with(answer: { _, _ in steps }) { server async throws in
                #expect(try await get(server) == .success(message: "all of it"))
            }
        }
    }

    @Test("an answer cut off in its body could not be read")
    func cutOff() async throws {
        let steps: [LoopbackServer.Step] = [.send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"), .close]
        try await LoopbackServer.with(answer: { _, _ in steps }) { server async throws in
            let outcome = try await get(server)
            guard case .error = outcome else { throw Unexpected(outcome) }
        }
    }

    @Test("a connection closed without an answer is a failure", arguments: [true, false])
    func noAnswer(halfClose: Bool) async throws {
        try await LoopbackServer.with(answer: { _, _ in [halfClose ? .halfClose : .close] }) { server async throws in
            #expect(try await get(server) == .failure(message: "Get \"http://127.0.0.1:\(server.port)/\": EOF"))
        }
    }

    @Test("a connection reset is a failure")
    func reset() async throws {
        try await LoopbackServer.with(answer: { _, _ in [.reset] }) { server async throws in
            #expect(
                try await get(server)
                    == .failure(
                        message: "Get \"http://127.0.0.1:\(server.port)/\": read: connection reset by peer"))
        }
    }

    @Test(
        "garbage is a failure",
        arguments: ["SSH-2.0-OpenSSH\r\n\r\n", "\0\u{1}\u{2}\u{3}", "HTTP/1.1 abc\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\n"])
    func garbage(text: String) async throws {
        try await LoopbackServer.with(answer: { _, _ in [.send(text), .close] }) { server async throws in
            let outcome = try await get(server)
            guard case .failure(let message) = outcome else { throw Unexpected(outcome) }
            #expect(message.hasPrefix("Get \"http://127.0.0.1:\(server.port)/\": malformed HTTP response: "))
        }
    }

    @Test("a head without end is a failure")
    func endlessHead() async throws {
        let header = String(repeating: "x: " + String(repeating: "y", count: 1000) + "\r\n", count: 300)
        try await LoopbackServer.with(answer: { _, _ in [.send("HTTP/1.1 200 OK\r\n" + header)] }) {
            server async throws in
            let outcome = try await get(server)
            guard case .failure = outcome else { throw Unexpected(outcome) }
        }
    }

    @Test("a refused connection is a failure in Go's words")
    func refused() async throws {
        let port = try await LoopbackServer.closedPort()
        for (host, path) in [(nil, "/x"), ("localhost", "/")] as [(String?, String)] {
            let action = HTTPGetAction(path: path, port: .int(port), host: host)
            let at = "\(host ?? "127.0.0.1"):\(port)"
            #expect(
                try await ProbeRunner.run(Probe(httpGet: action))
                    == .failure(message: "Get \"http://\(at)\(path)\": dial tcp \(at): connect: connection refused"))
        }
    }

    @Test("HTTPS is not verified, and HTTP behind it is told as such")
    func https() async throws {
        try await LoopbackServer.with(tls: true, answer: { _, _ in [answer("200 OK", body: "secret")] }) {
            server async throws in
            #expect(try await get(server, scheme: "HTTPS") == .success(message: "secret"))
            #expect(server.requests.count == 1)
        }
        try await LoopbackServer.with(answer: { _, _ in [answer("400 Bad Request")] }) { server async throws in
            #expect(
                try await get(server, scheme: "HTTPS")
                    == .failure(
                        message: "Get \"https://127.0.0.1:\(server.port)/\": "
                            + "http: server gave HTTP response to HTTPS client"))
        }
    }

    @Test("a TLS server that says nothing is a failure after the timeout")
    func silentTLS() async throws {
        try await LoopbackServer.with(answer: { _, _ in [] }) { server async throws in
            let outcome = try await get(server, scheme: "HTTPS", timeout: .milliseconds(50))
            guard case .failure(let message) = outcome else { throw Unexpected(outcome) }
            #expect(message.hasSuffix("(Client.Timeout exceeded while awaiting headers)"))
        }
    }

    @Test("ports may be named, and a number may be written as text")
    func namedPort() async throws {
        try await LoopbackServer.with(answer: { _, _ in [answer("200 OK")] }) { server async throws in
            let ports = [ContainerPort(name: "web", containerPort: server.containerPort)]
            for port in [IntOrString.string("web"), .string("\(server.port)"), .int(server.containerPort)] {
                let probe = Probe(httpGet: HTTPGetAction(port: port))
                #expect(try await ProbeRunner.run(probe, ports: ports) == .success(message: ""))
            }
        }
    }

    @Test(
        "a port that is none cannot be probed",
        arguments: [IntOrString.string("nope"), .string("0"), .string(""), .int(0), .int(-1), .int(65536), .int(.max)])
    func badPort(port: IntOrString) async throws {
        let outcome = try await ProbeRunner.run(Probe(httpGet: HTTPGetAction(port: port)))
        #expect(
            outcome
                == .error(
                    message: "port \"\(port)\" is neither a number in 1-65535 nor the name of a port of container "
                        + "\"app\""))
    }

    @Test("a pod without an address cannot be probed yet", arguments: [nil, ""] as [String?])
    func noAddress(podIP: String?) async throws {
        let outcome = try await ProbeRunner.run(Probe(httpGet: HTTPGetAction(port: 80)), podIP: podIP)
        #expect(outcome == .error(message: "the pod has no IP address yet"))
    }

    @Test("cancelling ends a probe long before its timeout")
    func cancellation() async throws {
        try await LoopbackServer.with(answer: { _, _ in [] }) { server async throws in
            let outcome = try await withThrowingTaskGroup(of: ProbeOutcome.self) { group in
                group.addTask { try await get(server, timeout: .seconds(Int32.max)) }
                group.cancelAll()
                return try await group.next()
            }
            let url = "http://127.0.0.1:\(server.port)/"
            #expect(outcome == .failure(message: "Get \"\(url)\": context canceled"))
        }
    }
}

/// Fails a test with what was seen.
struct Unexpected: Error, CustomStringConvertible {
    let description: String
    init(_ outcome: ProbeOutcome) { description = "unexpected \(outcome)" }
}

extension String {
    /// A request's lines, header names in lower case.
    func components() -> [String] {
        split(separator: "\r\n").enumerated().map { index, line in
            guard index > 0, let colon = line.firstIndex(of: ":") else { return String(line) }
            return line[..<colon].lowercased() + line[colon...]
        }
    }
}
