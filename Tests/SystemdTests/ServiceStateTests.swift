import Testing

@testable import Systemd

@Suite struct ServiceStateTests {
    @Test(
        "every state has the assignment that sd_notify documents",
        arguments: [
            (ServiceState.ready, "READY=1"),
            (.stopping, "STOPPING=1"),
            (.watchdog, "WATCHDOG=1"),
            (.status("3 pods"), "STATUS=3 pods"),
            (.reloading(monotonicMicroseconds: 42), "RELOADING=1\nMONOTONIC_USEC=42"),
            (.extendTimeout(microseconds: 5_000_000), "EXTEND_TIMEOUT_USEC=5000000"),
        ])
    func assignment(state: ServiceState, expected: String) {
        #expect(state.assignment == expected)
    }

    @Test("a status cannot smuggle in a further assignment")
    func statusStaysOneLine() {
        #expect(ServiceState.status("a\nREADY=1\r\u{1b}[2J").assignment == "STATUS=a READY=1  [2J")
    }

    @Test("a long status is cut, so that its datagram is not lost")
    func statusIsCut() {
        let text = ServiceState.status(String(repeating: "ä", count: 100_000)).assignment
        #expect(text.unicodeScalars.count == "STATUS=".count + ServiceState.statusLimitScalars)
    }
}
