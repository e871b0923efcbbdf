import KubernetesAPI
import Probes
import Testing

@Suite("TCPProbe", .timeLimit(.minutes(5)))
struct TCPProbeTests {
    @Test("an open port is success, whatever its server says", arguments: [[], Array("220 mail\r\n".utf8)])
    func open(greeting: [UInt8]) async throws {
        try await LoopbackServer.with(greeting: greeting, answer: { _, _ in [] }) { server async throws in
            let ports = [ContainerPort(name: "db", containerPort: server.containerPort)]
            for port in [IntOrString.int(server.containerPort), .string("db")] {
                for host in [nil, "127.0.0.1", "localhost"] as [String?] {
                    let probe = Probe(tcpSocket: TCPSocketAction(port: port, host: host))
                    #expect(try await ProbeRunner.run(probe, ports: ports) == .success(message: ""))
                }
            }
        }
    }

    @Test("a closed port is a failure in Go's words")
    func closed() async throws {
        let port = try await LoopbackServer.closedPort()
        #expect(
            try await ProbeRunner.run(Probe(tcpSocket: TCPSocketAction(port: .int(port))))
                == .failure(message: "dial tcp 127.0.0.1:\(port): connect: connection refused"))
    }

    @Test("a host that cannot be is a failure")
    func unknownHost() async throws {
        let outcome = try await ProbeRunner.run(Probe(tcpSocket: TCPSocketAction(port: 80, host: "a b.invalid")))
        #expect(outcome == .failure(message: "dial tcp: lookup a b.invalid: no such host"))
    }
}
