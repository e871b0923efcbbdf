import Testing

@testable import PodNetwork

@Suite("CIDRs")
struct CIDRTests {
    @Test(
        "a network prints as it is written",
        arguments: ["10.244.0.0/24", "0.0.0.0/0", "1.2.3.4/32", "fd00::/8", "::/0", "::1/128"])
    func valid(text: String) throws {
        #expect(try CIDR(parsing: text).description == text)
    }

    @Test(
        "an error names the text and the reason",
        arguments: [
            ("10.244.0.0", "CIDR \"10.244.0.0\" is not of the form address/length, such as 10.244.0.0/24"),
            ("10.244.0/24", "CIDR \"10.244.0/24\" is not of the form address/length, such as 10.244.0.0/24"),
            ("10.244.0.0/33", "CIDR \"10.244.0.0/33\": the length after / must be a number from 0 to 32"),
            ("10.244.0.0/024", "CIDR \"10.244.0.0/024\": the length after / must be a number from 0 to 32"),
            ("10.244.0.0/-1", "CIDR \"10.244.0.0/-1\": the length after / must be a number from 0 to 32"),
            ("10.244.0.0/24/8", "CIDR \"10.244.0.0/24/8\": the length after / must be a number from 0 to 32"),
            ("fd00::/129", "CIDR \"fd00::/129\": the length after / must be a number from 0 to 128"),
            ("10.244.0.7/24", "CIDR \"10.244.0.7/24\" has host bits set; write 10.244.0.0/24"),
            ("fd00::1/64", "CIDR \"fd00::1/64\" has host bits set; write fd00::/64"),
        ])
    func invalid(text: String, message: String) {
        let error = #expect(throws: NetworkError.self) { try CIDR(parsing: text) }
        #expect(error?.description == message)
        #expect(error?.code == .invalidConfiguration)
    }

    @Test(
        "networks overlap when one contains the other",
        arguments: [
            ("10.0.0.0/8", "10.244.0.0/16", true), ("10.244.0.0/16", "10.0.0.0/8", true),
            ("10.244.0.0/24", "10.244.1.0/24", false), ("0.0.0.0/0", "10.0.0.0/8", true),
            ("0.0.0.0/0", "fd00::/8", false), ("fd00:1::/48", "fd00:1:0:5::/64", true),
            ("fd00:1::/48", "fd00:2::/48", false),
        ])
    func overlap(first: String, second: String, expected: Bool) throws {
        #expect(try CIDR(parsing: first).overlaps(CIDR(parsing: second)) == expected)
    }

    @Test("offsets and addresses convert both ways and stop at the network's end")
    func offsets() throws {
        let cidr = try CIDR(parsing: "255.255.255.0/24")
        #expect(cidr.address(at: 255)?.description == "255.255.255.255")
        #expect(cidr.address(at: 256) == nil)
        #expect(cidr.address(at: -1) == nil)
        #expect(try cidr.offset(of: #require(IPAddress("255.255.255.9"))) == 9)
        #expect(try cidr.offset(of: #require(IPAddress("255.255.254.9"))) == nil)
        let last = try CIDR(parsing: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ff00/120")
        #expect(last.address(at: 256) == nil)
        #expect(try CIDR(parsing: "::/0").offset(of: #require(IPAddress("ffff::"))) == nil)
    }
}
