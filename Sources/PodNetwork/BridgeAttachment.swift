import Glibc
import LinuxKernel
import SystemPackage

/// Connects one sandbox to a bridge. Every step is one the kernel does whole or not at all, and each is done only where
/// it is missing, so it can be repeated after a death at any point.
struct BridgeAttachment: Sendable {
    static let podInterface = "eth0"

    let host: BridgeHost
    let bridge: BridgeHost.Bridge
    let hostInterface: String
    let namespacePath: String
    /// With the CIDR of each; IPv4 first.
    let addresses: [(address: IPAddress, cidr: CIDR)]

    /// Blocks for about two milliseconds, most of it the kernel's.
    func connect() throws(KernelError) {
        var pod = try NetlinkSocket(inNamespace: namespacePath)
        let interface = try ensureCable(&pod)
        if !interface.isUp {
            try NetworkNamespace.withinNamespace(namespacePath) { () throws(KernelError) in
                HostIPv6.ignoreAdvertisements(on: Self.podInterface)
            }
        }
        var requests: [NetlinkRequest] = [.configureLink("lo")]
        if !interface.isUp { requests.append(.configureLink(interface.name)) }
        for (address, cidr) in addresses {
            requests.append(
                .addAddress(
                    InterfaceAddress(
                        link: interface.index, bytes: address.bytes, prefixLength: UInt8(cidr.prefixLength))))
        }
        for (_, cidr) in addresses {
            requests.append(.addDefaultRoute(gateway: BridgeHost.gateway(of: cidr).bytes, link: interface.index))
        }
        try pod.perform(requests)
    }

    /// The pod's end of the cable, which is plugged in at the other end.
    private func ensureCable(_ pod: inout NetlinkSocket) throws(KernelError) -> NetworkLink {
        var socket = try host.openSocket()
        if let present = try pod.link(named: Self.podInterface) {
            try plugIn(&socket)
            return present
        }
        do throws(KernelError) {
            try create(&socket)
        } catch  where error.errno == .fileExists {
            // The name belongs to a cable of an earlier namespace of this sandbox, which the kernel has not cleared
            // away yet.
            try socket.perform(.deleteLink(hostInterface).tolerating(Errno(rawValue: ENODEV)))
            try create(&socket)
        }
        try plugIn(&socket)
        guard let made = try pod.link(named: Self.podInterface) else {
            throw KernelError("find \(Self.podInterface) in", namespacePath, errno: .noSuchFileOrDirectory)
        }
        return made
    }

    private func create(_ socket: inout NetlinkSocket) throws(KernelError) {
        guard let first = addresses.first else {
            throw KernelError("create veth", hostInterface, errno: .invalidArgument)
        }
        let namespace = try OwnedDescriptor.open(namespacePath, O_RDONLY)
        let pair = VethPair(
            name: hostInterface, address: InterfaceNaming.hardwareAddress(ofInterface: hostInterface),
            peerName: Self.podInterface, peerAddress: InterfaceNaming.hardwareAddress(of: first.address),
            peerNamespace: namespace.raw, master: bridge.index, mtu: bridge.mtu)
        try socket.perform(pair.creation)
    }

    private func plugIn(_ socket: inout NetlinkSocket) throws(KernelError) {
        guard let link = try socket.link(named: hostInterface) else {
            throw KernelError(
                "find the host's end of \(Self.podInterface),", hostInterface, errno: .noSuchFileOrDirectory)
        }
        if link.master != bridge.index || !link.isUp {
            try socket.perform(.configureLink(hostInterface, master: bridge.index))
        }
        try socket.perform(.setHairpin(port: link.index))
    }
}
