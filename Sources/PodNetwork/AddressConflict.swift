import LinuxKernel

/// Whether the pods' network collides with what the host has already.
enum AddressConflict {
    /// Throws for the first address or route of another interface than the bridge that overlaps a pod CIDR, naming
    /// both.
    ///
    /// Default routes, also in their two halves (`0.0.0.0/1`, `128.0.0.0/1`, as tunnels set them), contain everything
    /// and collide with nothing.
    static func check(
        podCIDRs: [CIDR], bridge: String, links: [NetworkLink], addresses: [InterfaceAddress], routes: [NetworkRoute]
    ) throws(NetworkError) {
        let names = Dictionary(links.map { ($0.index, $0.name) }, uniquingKeysWith: { first, _ in first })
        for entry in addresses {
            let name = names[entry.link] ?? "?"
            guard name != bridge, let address = IPAddress(bytes: entry.bytes) else { continue }
            let network = CIDR(containing: address, prefixLength: Int(entry.prefixLength))
            if let cidr = podCIDRs.first(where: network.overlaps) {
                throw .invalidConfiguration(
                    "pod CIDR \(cidr) overlaps the address \(address)/\(entry.prefixLength) of interface \(name); "
                        + "choose another pod CIDR or remove the interface")
            }
        }
        for route in routes where route.prefixLength > 1 {
            let name = route.link.flatMap { names[$0] } ?? "several"
            guard name != bridge, let destination = IPAddress(bytes: route.destination) else { continue }
            let network = CIDR(containing: destination, prefixLength: Int(route.prefixLength))
            if let cidr = podCIDRs.first(where: network.overlaps) {
                throw .invalidConfiguration(
                    "pod CIDR \(cidr) overlaps the route \(network) on interface \(name); "
                        + "choose another pod CIDR or remove the route")
            }
        }
    }
}
