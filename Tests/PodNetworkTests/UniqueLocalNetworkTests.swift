import Testing

@testable import PodNetwork

@Suite("A node's own unique local network")
struct UniqueLocalNetworkTests {
    @Test("the same seed gives the same network, another seed another one")
    func stability() {
        let network = CIDR.uniqueLocal(seed: "4c1e0e7a5c0b4f7f8a2f3c9d1b6e0a55/run/swiftlet")
        #expect(network == .uniqueLocal(seed: "4c1e0e7a5c0b4f7f8a2f3c9d1b6e0a55/run/swiftlet"))
        #expect(network != .uniqueLocal(seed: "4c1e0e7a5c0b4f7f8a2f3c9d1b6e0a55/run/other"))
        #expect(network != .uniqueLocal(seed: "4c1e0e7a5c0b4f7f8a2f3c9d1b6e0a56/run/swiftlet"))
    }

    @Test("it is a /64 below fd00::/8 with subnet 0, and fit for pods", arguments: ["", "a", "node-1", "Ω"])
    func form(seed: String) throws {
        let network = CIDR.uniqueLocal(seed: seed)
        #expect(network.prefixLength == 64)
        #expect(try CIDR(parsing: "fd00::/8").contains(network.network))
        // The 16 bits after the global ID are the subnet.
        #expect(network.network.bytes.dropFirst(6).allSatisfy { $0 == 0 })
        #expect(try AddressPool(network).gateway == network.address(at: 1))
    }

    @Test("many seeds that differ in one character collide no more than chance allows")
    func spread() {
        // Two of 4096 random IDs of 40 bits are alike once in 130 000 tries; these are always the same ones.
        #expect(Set((0..<4096).map { CIDR.uniqueLocal(seed: "node-\($0)") }).count == 4096)
    }
}
