import CLinux
import Glibc
import LinuxKernel
import Logging
import SystemPackage
import Testing

@testable import PodNetwork

/// Namespaces of its own for a test: a "host" with an uplink to an "outside" that knows nothing of pods. The machine's
/// network is never touched. `close` takes all away and checks that it is gone.
final class NetworkWorld {
    let directory: TemporaryDirectory
    private var pins: [String] = []

    static let hostAddress = "192.0.2.1"
    static let outsideAddress = "192.0.2.2"
    static let hostAddress6 = "2001:db8::1"
    static let outsideAddress6 = "2001:db8::2"

    init() throws {
        directory = try TemporaryDirectory()
        try pin("host")
        try pin("outside")
        var host = try NetlinkSocket(inNamespace: path("host"))
        var outside = try NetlinkSocket(inNamespace: path("outside"))
        let namespace = try OwnedDescriptor.open(path("outside"), O_RDONLY)
        try host.perform(
            VethPair(
                name: "up0", address: [2, 0, 0, 0, 0, 1], peerName: "up0", peerAddress: [2, 0, 0, 0, 0, 2],
                peerNamespace: namespace.raw, master: nil, mtu: 1450
            ).creation)
        try addAddresses(&host, [Self.hostAddress, Self.hostAddress6])
        try addAddresses(&outside, [Self.outsideAddress, Self.outsideAddress6])
        let link = try #require(try host.link(named: "up0"))
        try host.perform(
            .addDefaultRoute(gateway: [192, 0, 2, 2], link: link.index),
            .addDefaultRoute(gateway: try #require(IPAddress(Self.outsideAddress6)).bytes, link: link.index))
    }

    private func addAddresses(_ socket: inout NetlinkSocket, _ texts: [String]) throws {
        let link = try #require(try socket.link(named: "up0"))
        try socket.perform(.configureLink("lo"), .configureLink("up0"))
        for text in texts {
            let address = try #require(IPAddress(text))
            try socket.perform(
                .addAddress(
                    InterfaceAddress(
                        link: link.index, bytes: address.bytes, prefixLength: address.family == .v4 ? 24 : 64)))
        }
    }

    func path(_ name: String) -> String { "\(directory.path)/\(name)" }

    /// A new, empty namespace.
    @discardableResult
    func pin(_ name: String) throws -> String {
        try NetworkNamespace.create(pinnedAt: path(name))
        pins.append(name)
        return path(name)
    }

    func unpin(_ name: String) throws {
        try NetworkNamespace.unpin(path(name))
        pins.removeAll { $0 == name }
    }

    func network(
        bridge: String = "swt0", cidrs: [String] = ["10.77.0.0/24"]
    ) throws -> BridgeNetwork {
        BridgeNetwork(configuration: try configuration(bridge: bridge, cidrs: cidrs), logger: Logger(label: "test"))
    }

    func configuration(bridge: String = "swt0", cidrs: [String] = ["10.77.0.0/24"]) throws -> BridgeConfiguration {
        BridgeConfiguration(
            bridge: bridge, podCIDRs: try cidrs.map { try CIDR(parsing: $0) }, stateDirectory: path("ipam-\(bridge)"),
            nftablesTableName: "\(bridge)_test", hostNamespacePath: path("host"))
    }

    /// A request for a sandbox in a namespace of the same name, which is made if it does not exist.
    func request(_ name: String) throws -> AttachRequest {
        if !pins.contains(name) { try pin(name) }
        return AttachRequest(sandboxID: name, namespacePath: path(name), podNamespace: "default", podName: name)
    }

    func links(_ name: String) throws -> [NetworkLink] {
        var socket = try NetlinkSocket(inNamespace: path(name))
        return try socket.links()
    }

    /// What libnftables prints for a command in the host namespace.
    func nftables(_ command: String) throws -> String {
        let result = try NetworkNamespace.withinNamespace(path("host")) { () throws(KernelError) in
            Result { () throws(Nftables.Failure) in try Nftables.run(command) }
        }
        return try result.get()
    }

    /// Waits for the kernel's word that interfaces changed until the host's have this property.
    func waitForHostLinks(_ condition: ([NetworkLink]) -> Bool) throws -> Bool {
        let raw = try NetworkNamespace.withinNamespace(path("host")) { () throws(KernelError) -> Int32 in
            let type = Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
            return try kernelCall("socket") { socket(AF_NETLINK, type, NETLINK_ROUTE) }
        }
        let monitor = OwnedDescriptor(owning: raw)
        var timeout = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(monitor.raw, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_nl()
        address.nl_family = sa_family_t(AF_NETLINK)
        address.nl_groups = UInt32(RTMGRP_LINK)
        try withUnsafePointer(to: &address) { pointer in
            _ = try kernelCall("bind") {
                bind(
                    monitor.raw, UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self),
                    socklen_t(MemoryLayout<sockaddr_nl>.size))
            }
        }
        while try !condition(links("host")) {
            var buffer = [UInt8](repeating: 0, count: 65536)
            if recv(monitor.raw, &buffer, buffer.count, 0) < 0 { return false }
        }
        return true
    }

    /// Ends the world; what of it is left afterwards is a leak.
    func close() throws {
        for name in pins { try NetworkNamespace.unpin(path(name)) }
        pins = []
        #expect(try Mount.points(below: directory.path).isEmpty)
        let remaining = try FileSystem.list(directory.path).filter { !$0.hasPrefix("ipam-") }
        #expect(remaining.isEmpty)
    }

    deinit { for name in pins { try? NetworkNamespace.unpin(path(name)) } }
}
