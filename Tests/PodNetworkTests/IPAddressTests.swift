import Testing

@testable import PodNetwork

@Suite("IP addresses")
struct IPAddressTests {
    @Test(
        "a valid address prints in its canonical form",
        arguments: [
            ("0.0.0.0", "0.0.0.0"), ("10.244.0.1", "10.244.0.1"), ("255.255.255.255", "255.255.255.255"),
            ("::", "::"), ("::1", "::1"), ("fd00::", "fd00::"), ("FD00:0:0:1::", "fd00:0:0:1::"),
            ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:db8::0:1:1:1:1", "2001:db8::1:1:1:1"),
            ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("::ffff:1.2.3.4", "::ffff:102:304"), ("0:0:0:0:0:0:0:0", "::"),
            ("1::8", "1::8"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ])
    func canonical(text: String, expected: String) {
        #expect(IPAddress(text)?.description == expected)
    }

    @Test(
        "what is not an address is refused",
        arguments: [
            "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4", "1.2.3.-4", "+1.2.3.4",
            "1..2.3",
            "1.2.3.0x4", ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::", "::1%eth0",
            "[::1]",
            "1:2:3:4:5:6:7:8::", "::1.2.3", "1.2.3.4::", "1:2:3:4:5:6:7:1.2.3.4", "::+1", ":1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:",
        ])
    func refused(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test("bytes and text agree, and IPv4 sorts before IPv6")
    func bytes() throws {
        let address = try #require(IPAddress("fd00:10::1:2"))
        #expect(address.bytes == [0xfd, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2])
        #expect(IPAddress(bytes: address.bytes) == address)
        #expect(IPAddress(bytes: [10, 0, 0, 9])?.description == "10.0.0.9")
        #expect(IPAddress(bytes: [1, 2, 3]) == nil)
        let sorted = ["::1", "10.0.0.2", "9.0.0.1"].compactMap { IPAddress($0) }.sorted().map(\.description)
        #expect(sorted == ["9.0.0.1", "10.0.0.2", "::1"])
    }

    @Test("the special ranges are known in both families")
    func ranges() throws {
        #expect(try #require(IPAddress("127.3.2.1")).isLoopback)
        #expect(try #require(IPAddress("::1")).isLoopback)
        #expect(try !#require(IPAddress("::2")).isLoopback)
        #expect(try #require(IPAddress("169.254.9.9")).isLinkLocal)
        #expect(try #require(IPAddress("fe80::1")).isLinkLocal)
        #expect(try !#require(IPAddress("fd80::1")).isLinkLocal)
        #expect(try #require(IPAddress("239.1.1.1")).isMulticast)
        #expect(try #require(IPAddress("ff02::1")).isMulticast)
    }
}
