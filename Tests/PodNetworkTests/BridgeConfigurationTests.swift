import Testing

@testable import PodNetwork

@Suite("The bridge's configuration")
struct BridgeConfigurationTests {
    private func configuration() throws -> BridgeConfiguration {
        BridgeConfiguration(
            bridge: "swiftlet0", podCIDRs: [try CIDR(parsing: "fd00::/64"), try CIDR(parsing: "10.0.0.0/24")],
            stateDirectory: "/run/x", nftablesTableName: "swiftlet_0")
    }

    @Test("a good one gives its CIDRs, IPv4 first")
    func good() throws {
        #expect(try configuration().validated().map(\.description) == ["10.0.0.0/24", "fd00::/64"])
    }

    @Test(
        "a bridge's name that the kernel or nftables would misread is refused",
        arguments: [
            "", "sixteen-letters-", "a b", "a/b", ".", "..", "-x", "a\"b", "ä", "a;b",
        ])
    func bridgeName(name: String) throws {
        var configuration = try configuration()
        configuration.bridge = name
        #expect(throws: NetworkError.self) { try configuration.validated() }
    }

    @Test(
        "a table's name that nftables would misread is refused",
        arguments: ["", "0x", "a-b", "a b", "a;flush ruleset", "_a"])
    func tableName(name: String) throws {
        var configuration = try configuration()
        configuration.nftablesTableName = name
        #expect(throws: NetworkError.self) { try configuration.validated() }
    }

    @Test("no CIDR, two of one family, a wrong MTU and a relative directory are refused")
    func others() throws {
        var changed = try configuration()
        changed.podCIDRs = []
        #expect(throws: NetworkError.self) { try changed.validated() }
        changed.podCIDRs = [try CIDR(parsing: "10.0.0.0/24"), try CIDR(parsing: "10.1.0.0/24")]
        #expect(throws: NetworkError.self) { try changed.validated() }
        changed = try configuration()
        changed.mtu = 1279
        #expect(throws: NetworkError.self) { try changed.validated() }
        changed = try configuration()
        changed.stateDirectory = "run/x"
        #expect(throws: NetworkError.self) { try changed.validated() }
    }

    @Test("a host interface's name fits and differs by bridge and sandbox")
    func names() {
        let names = (0..<2000).flatMap { index in
            ["a", "b"].map { InterfaceNaming.hostInterface(bridge: $0, sandboxID: "sandbox-\(index)") }
        }
        #expect(names.allSatisfy { $0.utf8.count == 15 })
        #expect(Set(names).count == names.count)
    }
}
