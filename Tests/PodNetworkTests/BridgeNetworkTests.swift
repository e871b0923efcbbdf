import Glibc
import LinuxKernel
import SystemPackage
import Testing

@testable import PodNetwork

/// On the real kernel, in namespaces of their own: needs root.
@Suite("The bridge network", .serialized, .enabled(if: geteuid() == 0, "needs root"))
struct BridgeNetworkTests {
    /// Runs a test in a world and checks that nothing of it is left.
    private func inWorld(_ body: (NetworkWorld) async throws -> Void) async throws {
        let openBefore = Self.openNamespaces
        let world = try NetworkWorld()
        do { try await body(world) } catch {
            try world.close()
            throw error
        }
        try world.close()
        // Descriptors of network namespaces only: other suites of this process open and close theirs at the same time.
        #expect(Self.openNamespaces <= openBefore)
        #expect(try !FileSystem.readText("/proc/net/dev").contains("swt"))
    }

    private static var openNamespaces: Int {
        let descriptors = (try? FileSystem.list("/proc/self/fd")) ?? []
        return descriptors.filter { FileSystem.linkTarget("/proc/self/fd/" + $0)?.hasPrefix("net:[") == true }.count
    }

    /// A connection from one namespace to an address served in another; the client's address as the server sees it.
    private func source(
        from client: String, to address: IPAddress, in server: String, _ world: NetworkWorld, port: UInt16 = 8080
    ) throws -> IPAddress? {
        let listener = try TCPEndpoint.listening(in: world.path(server), port: port, family: address.family)
        let connection = try TCPEndpoint.connected(in: world.path(client), to: address, port: port)
        return try listener.serveOne(connection)
    }

    @Test("pods, host and outside reach each other as they should, in both families")
    func reachability() async throws {
        try await inWorld { world in
            let network = try world.network(cidrs: ["fd77::/64", "10.77.0.0/24"])
            try await network.start()
            #expect(await network.shortfalls == [])
            let first = try await network.attach(world.request("pod-a"))
            let second = try await network.attach(world.request("pod-b"))
            #expect(first.addresses.map(\.description) == ["10.77.0.2", "fd77::2"])
            #expect(second.addresses.map(\.description) == ["10.77.0.3", "fd77::3"])
            #expect(first.gateway.description == "10.77.0.1")
            let outside = [NetworkWorld.outsideAddress, NetworkWorld.outsideAddress6].compactMap { IPAddress($0) }
            let host = [NetworkWorld.hostAddress, NetworkWorld.hostAddress6].compactMap { IPAddress($0) }
            let gateways = ["10.77.0.1", "fd77::1"].compactMap { IPAddress($0) }
            for index in 0..<2 {
                let podA = first.addresses[index]
                let podB = second.addresses[index]
                #expect(try source(from: "pod-a", to: podB, in: "pod-b", world) == podA)
                #expect(try source(from: "pod-a", to: podA, in: "pod-a", world) == podA)
                #expect(try source(from: "pod-a", to: gateways[index], in: "host", world) == podA)
                #expect(try source(from: "pod-a", to: host[index], in: "host", world) == podA)
                #expect(try source(from: "host", to: podB, in: "pod-b", world) == gateways[index])
                // The outside has no route to pods: only the host's own address can come back.
                #expect(try source(from: "pod-b", to: outside[index], in: "outside", world) == host[index])
            }
        }
    }

    @Test("the bridge is set up as configured, and its ports are hairpins of the uplink's MTU")
    func settings() async throws {
        try await inWorld { world in
            let network = try world.network()
            try await network.start()
            let status = try await network.attach(world.request("pod-a"))
            let links = try world.links("host")
            let bridge = try #require(links.first { $0.name == "swt0" })
            let port = try #require(links.first { $0.name == status.hostInterface })
            #expect(bridge.mtu == 1450)
            #expect(port.mtu == 1450)
            #expect(port.master == bridge.index)
            let pod = try world.links("pod-a")
            #expect(pod.map(\.name).sorted() == ["eth0", "lo"])
            #expect(pod.filter { !$0.isUp }.isEmpty)
            #expect(pod.first { $0.name == "eth0" }?.address == [0x0a, 0x58, 10, 77, 0, 2])
            let forwarding = try NetworkNamespace.withinNamespace(world.path("host")) { () throws(KernelError) in
                try FileSystem.readText("/proc/sys/net/ipv4/ip_forward")
                    + FileSystem.readText("/proc/sys/net/ipv4/conf/all/route_localnet")
            }
            #expect(forwarding == "1\n0\n")
            // A router's advertisement from a pod reaches neither the host nor a neighbour.
            for (place, interface) in [("host", "swt0"), ("pod-a", "eth0")] {
                let accepts = try NetworkNamespace.withinNamespace(world.path(place)) { () throws(KernelError) in
                    try FileSystem.readText("/proc/sys/net/ipv6/conf/\(interface)/accept_ra")
                }
                #expect(accepts == "0\n", "\(interface)")
            }
            #expect(
                try HostAddresses.discover(namespacePath: world.path("host")).internalIPs.first?.description
                    == "192.0.2.1")
        }
    }

    @Test("a host that listens to routers goes on to do so when it forwards IPv6")
    func routerAdvertisements() async throws {
        try await inWorld { world in
            func setting(_ name: String) throws(KernelError) -> String {
                try NetworkNamespace.withinNamespace(world.path("host")) { () throws(KernelError) in
                    try FileSystem.readText("/proc/sys/net/ipv6/conf/\(name)")
                }
            }
            let uplink = try #require(try world.links("host").first { !$0.isLoopback }).name
            #expect(try setting("\(uplink)/accept_ra") == "1\n")
            try await world.network(cidrs: ["10.77.0.0/24", "fd77::/64"]).start()
            #expect(try setting("all/forwarding") == "1\n")
            #expect(try setting("\(uplink)/accept_ra") == "2\n")
        }
    }

    @Test("attach is idempotent, and a new agent finds what the old one made, finished or not")
    func idempotence() async throws {
        try await inWorld { world in
            let network = try world.network()
            try await network.start()
            let first = try await network.attach(world.request("pod-a"))
            #expect(try await network.attach(world.request("pod-a")) == first)
            let count = try world.links("host").count

            let successor = try world.network()
            #expect(await successor.status(sandboxID: "pod-a") == nil)
            try await successor.start()
            #expect(await successor.status(sandboxID: "pod-a") == first)
            #expect(try await successor.attach(world.request("pod-a")) == first)
            #expect(try world.links("host").count == count)

            // Death after the address was recorded, and after the cable was made but not configured.
            let allocator = try IPAllocator(cidrs: [CIDR(parsing: "10.77.0.0/24")], directory: world.path("ipam-swt0"))
            let recorded = try allocator.allocate(sandboxID: "pod-b")
            let name = InterfaceNaming.hostInterface(bridge: "swt0", sandboxID: "pod-b")
            try makeCable(world, name, to: world.pin("pod-b"))
            let third = try world.network()
            try await third.start()
            let status = try await third.attach(world.request("pod-b"))
            #expect(status.addresses == recorded)
            #expect(try source(from: "pod-a", to: recorded[0], in: "pod-b", world) == first.addresses[0])

            // A cable of an earlier namespace of the same sandbox is in the way.
            let stale = InterfaceNaming.hostInterface(bridge: "swt0", sandboxID: "pod-c")
            try makeCable(world, stale, to: world.pin("earlier"))
            let last = try await third.attach(world.request("pod-c"))
            #expect(try source(from: "pod-a", to: last.addresses[0], in: "pod-c", world) == first.addresses[0])
            #expect(try world.links("earlier").map(\.name) == ["lo"])
        }
    }

    /// A cable that is neither plugged in nor addressed.
    private func makeCable(_ world: NetworkWorld, _ name: String, to path: String) throws {
        let namespace = try OwnedDescriptor.open(path, O_RDONLY)
        var socket = try NetlinkSocket(inNamespace: world.path("host"))
        try socket.perform(
            VethPair(
                name: name, address: [2, 0, 0, 0, 1, 1], peerName: "eth0", peerAddress: [2, 0, 0, 0, 1, 2],
                peerNamespace: namespace.raw, master: nil, mtu: 1450
            ).creation)
    }

    @Test("detach frees the address, and the cable goes with the namespace")
    func detach() async throws {
        try await inWorld { world in
            let network = try world.network()
            try await network.start()
            let before = try world.links("host").map(\.name).sorted()
            let status = try await network.attach(world.request("pod-a"))
            await network.detach(sandboxID: "pod-a")
            await network.detach(sandboxID: "pod-a")
            #expect(await network.status(sandboxID: "pod-a") == nil)
            #expect(try FileSystem.list(world.path("ipam-swt0")).isEmpty)
            try world.unpin("pod-a")
            #expect(try world.waitForHostLinks { links in !links.contains { $0.name == status.hostInterface } })
            #expect(try world.links("host").map(\.name).sorted() == before)
        }
    }

    @Test("retain frees exactly the sandboxes that are gone")
    func retain() async throws {
        try await inWorld { world in
            let network = try world.network()
            try await network.start()
            let kept = try await network.attach(world.request("pod-a"))
            _ = try await network.attach(world.request("pod-b"))
            await network.retain(sandboxIDs: ["pod-a"])
            #expect(await network.status(sandboxID: "pod-a") == kept)
            #expect(await network.status(sandboxID: "pod-b") == nil)
            #expect(try FileSystem.list(world.path("ipam-swt0")) == ["10.77.0.2"])
        }
    }

    @Test("start repairs a lost bridge, lost rules, a foreign address and a lost port")
    func repair() async throws {
        try await inWorld { world in
            let network = try world.network()
            try await network.start()
            let first = try await network.attach(world.request("pod-a"))
            let second = try await network.attach(world.request("pod-b"))
            let rules = try world.nftables("list table inet swt0_test")
            try await network.start()
            #expect(try world.nftables("list table inet swt0_test") == rules)

            var socket = try NetlinkSocket(inNamespace: world.path("host"))
            try socket.perform(.deleteLink("swt0"))
            _ = try world.nftables("delete table inet swt0_test\n")
            try await network.start()
            #expect(try world.nftables("list table inet swt0_test") == rules)
            #expect(try source(from: "pod-a", to: second.addresses[0], in: "pod-b", world) == first.addresses[0])

            let bridge = try #require(try socket.link(named: "swt0"))
            try socket.perform(
                .addAddress(InterfaceAddress(link: bridge.index, bytes: [10, 78, 0, 1], prefixLength: 24)))
            try await network.start()
            let addresses = try socket.addresses().filter { $0.link == bridge.index && $0.isGlobal }
            #expect(addresses.map(\.bytes) == [[10, 77, 0, 1]])
        }
    }

    @Test("two nodes on one host reach each other's pods and go separately")
    func twoNodes() async throws {
        try await inWorld { world in
            let one = try world.network()
            let two = try world.network(bridge: "swt1", cidrs: ["10.78.0.0/24"])
            try await one.start()
            try await two.start()
            _ = try await one.attach(world.request("pod-a"))
            let status = try await two.attach(world.request("pod-b"))
            #expect(status.addresses.map(\.description) == ["10.78.0.2"])
            #expect(try source(from: "pod-a", to: status.addresses[0], in: "pod-b", world) != nil)
            await one.stop(removingBridge: true)
            #expect(try world.nftables("list tables") == "table inet swt1_test\n")
            let names = try world.links("host").map(\.name)
            #expect(!names.contains("swt0"))
            #expect(names.contains("swt1"))
            await two.stop(removingBridge: false)
            #expect(try source(from: "host", to: status.addresses[0], in: "pod-b", world)?.description == "10.78.0.1")
        }
    }

    @Test("a network that the host has already, and a name that is no bridge, are refused by name")
    func refusals() async throws {
        try await inWorld { world in
            let overlapping = try world.network(cidrs: ["192.0.2.0/24"])
            let overlap = await #expect(throws: NetworkError.self) { try await overlapping.start() }
            #expect(
                overlap?.description.contains("192.0.2.0/24 overlaps the address 192.0.2.1/24 of interface up0") == true
            )
            let taken = try world.network(bridge: "up0", cidrs: ["10.79.0.0/24"])
            let refused = await #expect(throws: NetworkError.self) { try await taken.start() }
            #expect(refused?.description.contains("use as bridge the interface \"up0\"") == true)
            let early = await #expect(throws: NetworkError.self) { try await taken.attach(world.request("pod-a")) }
            #expect(early?.code == .notStarted)
        }
    }

    @Test("what a former life has made goes although the host has come to overlap it, and nobody else's interface does")
    func removalWithoutStart() async throws {
        try await inWorld { world in
            let former = try world.network()
            try await former.start()
            _ = try await former.attach(world.request("pod-a"))
            var socket = try NetlinkSocket(inNamespace: world.path("host"))
            let uplink = try #require(try socket.link(named: "up0"))
            try socket.perform(
                .addAddress(InterfaceAddress(link: uplink.index, bytes: [10, 77, 0, 200], prefixLength: 24)))
            let later = try world.network()
            let overlap = await #expect(throws: NetworkError.self) { try await later.start() }
            #expect(overlap?.description.contains("overlaps the address 10.77.0.200/24 of interface up0") == true)
            await later.stop(removingBridge: true)
            #expect(try world.nftables("list tables") == "")
            #expect(try !world.links("host").map(\.name).contains("swt0"))
            #expect(try FileSystem.list(world.path("ipam-swt0")).isEmpty)

            await (try world.network(bridge: "up0", cidrs: ["10.79.0.0/24"])).stop(removingBridge: true)
            #expect(try world.links("host").map(\.name).contains("up0"))
        }
    }

    @Test("another firewall that drops forwarded packets is reported")
    func droppingFirewall() async throws {
        try await inWorld { world in
            _ = try world.nftables(
                "table ip other {\nchain FORWARD {\ntype filter hook forward priority filter; policy drop;\n}\n}\n")
            let network = try world.network()
            try await network.start()
            let shortfalls = await network.shortfalls
            #expect(shortfalls.count == 1)
            #expect(shortfalls.first?.hasPrefix("the chain ip other FORWARD of another firewall") == true)
        }
    }

    @Test("a script that nftables refuses changes nothing and says why")
    func brokenScript() async throws {
        try await inWorld { world in
            let failure = #expect(throws: Nftables.Failure.self) {
                try world.nftables("table inet half {\nchain a {\n}\n}\nadd rule inet absent input accept\n")
            }
            #expect(failure?.message.contains("No such file or directory") == true)
            let tables = try world.nftables("list tables")
            #expect(tables.isEmpty)
        }
    }

    @Test("the kernel's refusal names the operation, the interface and its own words")
    func refusedRequest() async throws {
        try await inWorld { world in
            var socket = try NetlinkSocket(inNamespace: world.path("host"))
            var caught: KernelError?
            do throws(KernelError) { try socket.perform(.configureLink("up0", mtu: 1)) } catch { caught = error }
            #expect(
                caught?.description == "configure interface (mtu less than device minimum) \"up0\": Invalid argument")
            #expect(try socket.link(named: "absent") == nil)
            #expect(throws: KernelError.self) { try NetworkNamespace.create(pinnedAt: world.path("host")) }
        }
    }

    /// The target is 2.5 ms with a release build on an idle machine; the limit here only catches a veth deleted, or an
    /// RCU grace period waited for, in the path.
    @Test("attaching takes milliseconds")
    func attachTime() async throws {
        try await inWorld { world in
            let network = try world.network()
            try await network.start()
            let clock = ContinuousClock()
            var attach: [Duration] = []
            var detach: [Duration] = []
            // Not in turns: the kernel takes down a namespace under the lock that the next attach needs.
            let requests = try (0..<40).map { try world.request("bench-\($0)") }
            for request in requests {
                let start = clock.now
                _ = try await network.attach(request)
                attach.append(clock.now - start)
            }
            for request in requests {
                let start = clock.now
                await network.detach(sandboxID: request.sandboxID)
                try world.unpin(request.sandboxID)
                detach.append(clock.now - start)
            }
            let median = attach.sorted()[20]
            print("attach p50 \(median), min \(attach.min() ?? .zero); detach + unpin p50 \(detach.sorted()[20])")
            #expect(median < .milliseconds(50))
        }
    }
}
