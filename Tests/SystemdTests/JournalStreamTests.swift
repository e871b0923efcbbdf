import Glibc
import Testing

@testable import Systemd

@Suite struct JournalStreamTests {
    @Test("device and inode are read from the variable")
    func parses() {
        #expect(JournalStream(parsing: "8:12345") == JournalStream(device: 8, inode: 12345))
    }

    @Test(
        "anything but two decimal numbers is refused",
        arguments: [
            "", ":", "8", "8:", ":9", "8:9:10", "-8:9", "+8:9", "0x8:9", "8: 9", "8:99999999999999999999999",
        ])
    func refuses(text: String) {
        #expect(JournalStream(parsing: text) == nil)
    }

    @Test("a descriptor is the journal's only when both device and inode are its own")
    func matches() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { ends.forEach { close($0) } }
        let stream = try #require(JournalStream(of: ends[0]))
        #expect(JournalStream.isConnected(variable: "\(stream.device):\(stream.inode)", descriptor: ends[0]))
        #expect(!JournalStream.isConnected(variable: "\(stream.device):\(stream.inode + 1)", descriptor: ends[0]))
        #expect(!JournalStream.isConnected(variable: "\(stream.device + 1):\(stream.inode)", descriptor: ends[0]))
        #expect(!JournalStream.isConnected(variable: "nonsense", descriptor: ends[0]))
    }

    @Test("a closed descriptor is not the journal's")
    func closed() {
        #expect(JournalStream(of: -1) == nil)
    }
}
