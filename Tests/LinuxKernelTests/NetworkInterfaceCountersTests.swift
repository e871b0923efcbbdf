import Testing

@testable import LinuxKernel

@Suite struct NetworkInterfaceCountersTests {
    private static let text = """
        Inter-|   Receive                                                |  Transmit
         face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
            lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0
        veth01234567890: 11 2 3 4 0 0 0 0 15 6 7 8 0 0 0 0
          eth0:999999999999 10    0    0    0     0          0         0        5       4    3    2    0     0       0          0
         short: 1 2 3

        """

    @Test("every interface's counters are read, also where a number touches the colon; other lines are passed over")
    func parse() {
        let counters = NetworkInterfaceCounters.parse(Array(Self.text.utf8))
        #expect(counters.map(\.name) == ["lo", "veth01234567890", "eth0"])
        #expect(
            counters[1]
                == NetworkInterfaceCounters(
                    name: "veth01234567890", receivedBytes: 11, receivedPackets: 2, receiveErrors: 3,
                    receivedDropped: 4, sentBytes: 15, sentPackets: 6, sendErrors: 7, sentDropped: 8))
        #expect(counters[2].receivedBytes == 999_999_999_999)
    }

    @Test("what the host's end of a cable received, the pod sent")
    func otherEnd() {
        let host = NetworkInterfaceCounters(
            name: "veth0", receivedBytes: 1, receivedPackets: 2, receiveErrors: 3, receivedDropped: 4, sentBytes: 5,
            sentPackets: 6, sendErrors: 7, sentDropped: 8)
        let pod = host.otherEnd(name: "eth0")
        #expect(pod.name == "eth0" && pod.sentBytes == 1 && pod.receivedBytes == 5)
        #expect(pod.sentPackets == 2 && pod.receivedPackets == 6 && pod.otherEnd(name: "veth0") == host)
    }

    @Test("the running kernel has a loopback interface")
    func host() throws {
        #expect(try NetworkInterfaceCounters.all().contains { $0.name == "lo" })
    }
}
