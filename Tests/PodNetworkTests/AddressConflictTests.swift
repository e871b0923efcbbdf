import LinuxKernel
import Testing

@testable import PodNetwork

@Suite("Conflicts of the pods' network with the host's")
struct AddressConflictTests {
    private func check(_ cidr: String, addresses: [InterfaceAddress] = [], routes: [NetworkRoute] = []) throws {
        try AddressConflict.check(
            podCIDRs: [CIDR(parsing: cidr)], bridge: "br0",
            links: [NetworkLink(index: 2, name: "eth0"), NetworkLink(index: 3, name: "br0")], addresses: addresses,
            routes: routes)
    }

    @Test("an address of another interface is named")
    func address() throws {
        let address = InterfaceAddress(link: 2, bytes: [10, 244, 3, 7], prefixLength: 16)
        let error = #expect(throws: NetworkError.self) { try check("10.244.0.0/24", addresses: [address]) }
        #expect(
            error?.description == "pod CIDR 10.244.0.0/24 overlaps the address 10.244.3.7/16 of interface eth0; "
                + "choose another pod CIDR or remove the interface")
        try check("10.245.0.0/24", addresses: [address])
    }

    @Test("a route is named, whichever of the two is larger", arguments: [UInt8(8), 16, 28])
    func route(length: UInt8) {
        let route = NetworkRoute(destination: [10, 244, 0, 0], prefixLength: length, link: 2)
        let error = #expect(throws: NetworkError.self) { try check("10.244.0.0/24", routes: [route]) }
        #expect(error?.description.contains("overlaps the route 10.") == true)
        #expect(error?.description.contains("/\(length) on interface eth0") == true)
    }

    @Test("default routes and what is on the bridge itself collide with nothing")
    func harmless() throws {
        try check(
            "10.244.0.0/24", addresses: [InterfaceAddress(link: 3, bytes: [10, 244, 0, 1], prefixLength: 24)],
            routes: [
                NetworkRoute(destination: [0, 0, 0, 0], prefixLength: 0, link: 2),
                NetworkRoute(destination: [0, 0, 0, 0], prefixLength: 1, link: 2),
                NetworkRoute(destination: [10, 244, 0, 0], prefixLength: 24, link: 3),
            ])
    }
}
