import CLinux
import Glibc
import LinuxKernel
import SystemPackage

/// The host's side of a bridge network: what ``BridgeNetwork`` decides is done here, on the kernel, by blocking calls.
/// It holds nothing: whatever it needs to know it asks the kernel.
struct BridgeHost: Sendable {
    let configuration: BridgeConfiguration
    /// IPv4 first.
    let podCIDRs: [CIDR]

    /// A bridge that is ready.
    struct Bridge: Sendable {
        var index: UInt32
        var mtu: UInt32
    }

    /// A socket in the host's namespace.
    func openSocket() throws(KernelError) -> NetlinkSocket {
        guard let path = configuration.hostNamespacePath else { return try NetlinkSocket() }
        return try NetlinkSocket(inNamespace: path)
    }

    /// Runs `body` on a thread in the host's namespace.
    func inHostNamespace<Value>(_ body: () throws(KernelError) -> Value) throws(KernelError) -> Value {
        guard let path = configuration.hostNamespacePath else { return try body() }
        return try NetworkNamespace.withinNamespace(path, body)
    }

    /// Makes the bridge, or brings one of that name to what it should be; then plugs in again those of `interfaces`
    /// (host ends of running sandboxes) that lost it.
    func ensureBridge(interfaces: Set<String>) throws(NetworkError) -> Bridge {
        do throws(KernelError) {
            var socket = try openSocket()
            let mtu = try wantedMTU(&socket)
            let name = configuration.bridge
            var link = try socket.link(named: name)
            if link == nil {
                let address = InterfaceNaming.hardwareAddress(ofInterface: name)
                try socket.perform(.createBridge(name: name, address: address, mtu: mtu).tolerating(.fileExists))
                link = try socket.link(named: name)
            }
            guard let link else { throw KernelError("find bridge", name, errno: .noSuchFileOrDirectory) }
            guard link.kind == "bridge" else {
                throw KernelError("use as bridge the interface", name, errno: .fileExists)
            }
            if !link.isUp || link.mtu != mtu { try socket.perform(.configureLink(name, mtu: mtu)) }
            try inHostNamespace { () throws(KernelError) in HostIPv6.ignoreAdvertisements(on: name) }
            try ensureAddresses(&socket, link.index)
            try reconnect(&socket, interfaces, to: link.index)
            return Bridge(index: link.index, mtu: mtu)
        } catch {
            throw .kernel("set up bridge \(configuration.bridge)", error)
        }
    }

    /// Throws when a pod CIDR overlaps what the host has.
    func checkConflicts() throws(NetworkError) {
        let links: [NetworkLink]
        let addresses: [InterfaceAddress]
        let routes: [NetworkRoute]
        do throws(KernelError) {
            var socket = try openSocket()
            links = try socket.links()
            addresses = try socket.addresses()
            routes = try socket.routes()
        } catch {
            throw .kernel("look for networks that overlap the pods'", error)
        }
        try AddressConflict.check(
            podCIDRs: podCIDRs, bridge: configuration.bridge, links: links, addresses: addresses, routes: routes)
    }

    /// Whether the host's kernel has IPv6 and it is not switched off.
    func hasIPv6() -> Bool {
        (try? inHostNamespace { () throws(KernelError) in HostIPv6.isEnabled }) ?? false
    }

    /// Lets the host pass packets on. The result is what does not work then.
    func enableForwarding() throws(NetworkError) -> [String] {
        for cidr in podCIDRs {
            do throws(KernelError) {
                try inHostNamespace { () throws(KernelError) in
                    if cidr.family == .v4 { try Self.enableIPv4Forwarding() } else { try HostIPv6.enableForwarding() }
                }
            } catch {
                // With IPv4 at work, a pod has a way out.
                guard cidr.family == .v4 || podCIDRs.count == 1 else {
                    return ["the host does not forward IPv6 (\(error)): over it pods cannot reach beyond this host"]
                }
                throw .kernel("let the host forward packets of pods", error)
            }
        }
        return []
    }

    /// A file that says so already is not written: it may be read-only.
    private static func enableIPv4Forwarding() throws(KernelError) {
        let path = "/proc/sys/net/ipv4/ip_forward"
        if try FileSystem.readText(path).first != "1" { try FileSystem.writeKernelFile(path, "1") }
    }

    /// Defines our nftables table. The result is what does not work then.
    func defineRules() -> [String] {
        let table = configuration.nftablesTableName
        let script = NftablesScript.define(table: table, bridge: configuration.bridge, podCIDRs: podCIDRs)
        switch runNftables(script) {
        case .failure(let failure):
            return ["nftables does not work on this kernel (\(failure.message)): pods cannot reach beyond this host"]
        case .success:
            break
        }
        guard case .success(let listing) = runNftables("list chains") else { return [] }
        return NftablesScript.droppingForwardChains(in: listing, ownTable: table).map { chain in
            "the chain \(chain) of another firewall drops forwarded packets: "
                + "pods cannot reach beyond this host unless it accepts interface \(configuration.bridge)"
        }
    }

    func removeRules() {
        // Without nftables there is no table; and nothing else can be done about one that stays.
        _ = runNftables(NftablesScript.remove(table: configuration.nftablesTableName))
    }

    /// Takes the bridge away, with its addresses and routes. What has its name and is none stays.
    func removeBridge() throws(KernelError) {
        var socket = try openSocket()
        guard try socket.link(named: configuration.bridge)?.kind == "bridge" else { return }
        try socket.perform(.deleteLink(configuration.bridge).tolerating(Errno(rawValue: ENODEV)))
    }

    private func runNftables(_ script: String) -> Result<String, Nftables.Failure> {
        do throws(KernelError) {
            return try inHostNamespace { Result { () throws(Nftables.Failure) in try Nftables.run(script) } }
        } catch {
            return .failure(Nftables.Failure(message: "\(error)"))
        }
    }

    /// As configured, or that of the way out of the host.
    private func wantedMTU(_ socket: inout NetlinkSocket) throws(KernelError) -> UInt32 {
        if let mtu = configuration.mtu { return mtu }
        let host = HostAddresses.select(
            links: try socket.links().filter { $0.name != configuration.bridge }, addresses: try socket.addresses(),
            routes: try socket.routes())
        return min(max(host.mtu, 1280), 65535)
    }

    /// The bridge has each CIDR's gateway address and none of another pod network (from a former configuration).
    private func ensureAddresses(_ socket: inout NetlinkSocket, _ bridge: UInt32) throws(KernelError) {
        let wanted = podCIDRs.map { cidr in
            InterfaceAddress(
                link: bridge, bytes: BridgeHost.gateway(of: cidr).bytes, prefixLength: UInt8(cidr.prefixLength))
        }
        let present = try socket.addresses().filter { $0.link == bridge && $0.isGlobal }
        func isSame(_ left: InterfaceAddress, _ right: InterfaceAddress) -> Bool {
            left.bytes == right.bytes && left.prefixLength == right.prefixLength
        }
        for address in present where !wanted.contains(where: { isSame($0, address) }) {
            try socket.perform(.removeAddress(address).tolerating(.addressNotAvailable))
        }
        for address in wanted where !present.contains(where: { isSame($0, address) }) {
            try socket.perform(.addAddress(address))
        }
    }

    private func reconnect(
        _ socket: inout NetlinkSocket, _ interfaces: Set<String>, to bridge: UInt32
    ) throws(KernelError) {
        for link in try socket.links() where interfaces.contains(link.name) {
            guard link.master != bridge || !link.isUp else { continue }
            // One that went away in the meantime has gone with its pod.
            try socket.perform(
                .configureLink(link.name, master: bridge).tolerating(Errno(rawValue: ENODEV)),
                .setHairpin(port: link.index).tolerating(Errno(rawValue: ENODEV)))
        }
    }

    /// The host's own address in a pod network.
    static func gateway(of cidr: CIDR) -> IPAddress { IPAddress(family: cidr.family, value: cidr.network.value + 1) }
}
