import LinuxKernel

/// The addresses by which a node is reached, and what its network can carry.
public struct HostAddresses: Hashable, Sendable {
    /// At most one of each family, that of the default route first: what Node.status.addresses calls InternalIP.
    public var internalIPs: [IPAddress]
    /// The interface of the first of them; nil when there is none but loopback.
    public var interface: String?
    /// Bytes of one packet on that interface.
    public var mtu: UInt32
    /// This host has no address that another could reach: the first of `internalIPs` is 127.0.0.1, a last resort.
    public var isLoopbackOnly: Bool

    /// What an interface without anything better carries (Ethernet, RFC 894).
    static let defaultMTU: UInt32 = 1500

    /// Asks the kernel. Blocks shortly.
    /// - Parameters:
    ///   - podBridge: the bridge of the pods' network, if there is one: its addresses are the last choice.
    ///   - namespacePath: the network namespace to look at; nil is the calling thread's.
    public static func discover(
        podBridge: String? = nil, namespacePath: String? = nil
    ) throws(NetworkError) -> HostAddresses {
        do throws(KernelError) {
            var socket: NetlinkSocket
            if let namespacePath {
                socket = try NetlinkSocket(inNamespace: namespacePath)
            } else {
                socket = try NetlinkSocket()
            }
            let (links, addresses) = (try socket.links(), try socket.addresses())
            return select(links: links, addresses: addresses, routes: try socket.routes(), podBridge: podBridge)
        } catch {
            throw .kernel("find the addresses of this host", error)
        }
    }

    /// The choice alone. For each family: the preferred source of the best default route, else the first address of
    /// that route's interface, else the first address of any interface that is up. Loopback, link-local and multicast
    /// addresses, and those going out of use, never count; those of the pods' bridge only where there is no other of
    /// any family: they name the node to its own pods alone.
    static func select(
        links: [NetworkLink], addresses: [InterfaceAddress], routes: [NetworkRoute], podBridge: String? = nil
    ) -> HostAddresses {
        let usable = Dictionary(
            links.filter { $0.isUp && !$0.isLoopback }.map { ($0.index, $0) }, uniquingKeysWith: { first, _ in first })
        var candidates: [(address: IPAddress, link: NetworkLink)] = []
        for entry in addresses where entry.isGlobal && !entry.isDeprecatedOrTentative {
            guard let link = usable[entry.link], let address = IPAddress(bytes: entry.bytes),
                !address.isLoopback, !address.isLinkLocal, !address.isMulticast
            else { continue }
            candidates.append((address, link))
        }
        let outward = candidates.filter { $0.link.name != podBridge }
        if !outward.isEmpty { candidates = outward }
        var chosen: [(address: IPAddress, link: NetworkLink, hasRoute: Bool)] = []
        for family in [IPAddress.Family.v4, .v6] {
            let own = candidates.filter { $0.address.family == family }
            let defaults = routes.filter { $0.prefixLength == 0 && $0.destination.count * 8 == family.bitWidth }
                .sorted { $0.metric < $1.metric }
            let routed = defaults.lazy.compactMap { route in
                own.first { $0.address.bytes == route.preferredSource } ?? own.first { $0.link.index == route.link }
            }.first
            // An interface of ours that carries pods is no way to reach the node: hardware and uplinks come first.
            if let best = routed ?? own.first(where: { $0.link.kind != "bridge" }) ?? own.first {
                chosen.append((best.address, best.link, routed != nil))
            }
        }
        // A family with a default route is the one the node is reached by; IPv4 wins a tie.
        if chosen.count == 2, chosen[1].hasRoute, !chosen[0].hasRoute { chosen.swapAt(0, 1) }
        guard let first = chosen.first else {
            return HostAddresses(
                internalIPs: [IPAddress(family: .v4, value: 0x7f00_0001)], interface: nil, mtu: defaultMTU,
                isLoopbackOnly: true)
        }
        return HostAddresses(
            internalIPs: chosen.map(\.address), interface: first.link.name, mtu: first.link.mtu, isLoopbackOnly: false)
    }
}
