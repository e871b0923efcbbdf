import LinuxKernel
import Testing

@testable import PodNetwork

@Suite("The host's addresses")
struct HostAddressesTests {
    private let links = [
        NetworkLink(index: 1, name: "lo", isLoopback: true), NetworkLink(index: 2, name: "eth0", mtu: 1400),
        NetworkLink(index: 3, name: "wlan0"), NetworkLink(index: 4, name: "docker0", kind: "bridge"),
        NetworkLink(index: 5, name: "down0", isUp: false),
    ]

    private func address(_ link: UInt32, _ text: String, isGlobal: Bool = true, isOld: Bool = false) throws
        -> InterfaceAddress
    {
        let bytes = try #require(IPAddress(text)).bytes
        return InterfaceAddress(
            link: link, bytes: bytes, prefixLength: 24, isGlobal: isGlobal, isDeprecatedOrTentative: isOld)
    }

    private func defaultRoute(_ link: UInt32, metric: UInt32 = 0, source: String? = nil, isIPv6: Bool = false)
        -> NetworkRoute
    {
        NetworkRoute(
            destination: [UInt8](repeating: 0, count: isIPv6 ? 16 : 4), prefixLength: 0,
            preferredSource: source.flatMap { IPAddress($0)?.bytes }, link: link, metric: metric)
    }

    @Test("the default route of the lowest metric decides, IPv4 first")
    func defaultRoutes() throws {
        let found = HostAddresses.select(
            links: links,
            addresses: [
                try address(1, "127.0.0.1"), try address(3, "10.0.0.3"), try address(2, "192.0.2.2"),
                try address(2, "fe80::2", isGlobal: false), try address(2, "fd00::1", isOld: true),
                try address(2, "fd00::2"),
            ], routes: [defaultRoute(3, metric: 600), defaultRoute(2, metric: 100), defaultRoute(2, isIPv6: true)])
        #expect(found.internalIPs.map(\.description) == ["192.0.2.2", "fd00::2"])
        #expect(found.interface == "eth0")
        #expect(found.mtu == 1400)
        #expect(!found.isLoopbackOnly)
    }

    @Test("the route's preferred source wins over the first address")
    func preferredSource() throws {
        let found = HostAddresses.select(
            links: links, addresses: [try address(2, "192.0.2.2"), try address(2, "192.0.2.9")],
            routes: [defaultRoute(2, source: "192.0.2.9")])
        #expect(found.internalIPs.map(\.description) == ["192.0.2.9"])
    }

    @Test("without a default route it is the first global address that is not a bridge's")
    func noRoute() throws {
        let found = HostAddresses.select(
            links: links,
            addresses: [
                try address(5, "10.5.5.5"), try address(4, "172.17.0.1"), try address(2, "169.254.1.1"),
                try address(3, "10.0.0.3"),
            ], routes: [])
        #expect(found.internalIPs.map(\.description) == ["10.0.0.3"])
    }

    @Test("a family with a default route comes before one without")
    func onlyIPv6Routed() throws {
        let found = HostAddresses.select(
            links: links, addresses: [try address(4, "172.17.0.1"), try address(2, "fd00::2")],
            routes: [defaultRoute(2, isIPv6: true)])
        #expect(found.internalIPs.map(\.description) == ["fd00::2", "172.17.0.1"])
        #expect(found.interface == "eth0")
    }

    @Test("the address of the pods' own bridge counts only where there is no other")
    func podBridge() throws {
        let pods = [try address(4, "10.85.0.1"), try address(4, "fd12::1")]
        let beside = HostAddresses.select(
            links: links, addresses: pods + [try address(2, "192.0.2.2")], routes: [defaultRoute(2)],
            podBridge: "docker0")
        #expect(beside.internalIPs.map(\.description) == ["192.0.2.2"])
        let alone = HostAddresses.select(links: links, addresses: pods, routes: [], podBridge: "docker0")
        #expect(alone.internalIPs.map(\.description) == ["10.85.0.1", "fd12::1"])
    }

    @Test("a host with nothing but loopback says so")
    func loopbackOnly() throws {
        let found = HostAddresses.select(links: links, addresses: [try address(1, "127.0.0.1")], routes: [])
        #expect(found.internalIPs.map(\.description) == ["127.0.0.1"])
        #expect(found.isLoopbackOnly)
        #expect(found.interface == nil)
    }
}
