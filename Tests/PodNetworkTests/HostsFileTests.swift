import Testing

@testable import PodNetwork

@Suite("A pod's hosts file")
struct HostsFileTests {
    private static let head =
        "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
        + "fe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n"

    private func addresses(_ texts: String...) -> [IPAddress] { texts.compactMap { IPAddress($0) } }

    @Test("a pod has its name for each of its addresses")
    func plain() {
        #expect(
            HostsFile.text(podIPs: addresses("10.0.0.2", "fd00::2"), hostname: "web-0")
                == Self.head + "10.0.0.2\tweb-0\nfd00::2\tweb-0\n")
    }

    @Test("a pod with a subdomain has its full name first, and aliases follow")
    func subdomain() {
        let text = HostsFile.text(
            podIPs: addresses("10.0.0.2"), hostname: "web-0", domain: "web.shop.svc.cluster.local",
            aliases: [.init(ip: "1.2.3.4", hostnames: ["a", "b.example"]), .init(ip: "fd00::9", hostnames: ["c"])])
        #expect(
            text == Self.head + "10.0.0.2\tweb-0.web.shop.svc.cluster.local\tweb-0\n"
                + "\n# Entries added by HostAliases.\n1.2.3.4\ta\tb.example\nfd00::9\tc\n")
    }

    @Test("a pod in the host's network gets the host's file and its aliases")
    func hostNetwork() {
        #expect(
            HostsFile.hostNetworkText(
                hostFile: "127.0.0.1 localhost\n", aliases: [.init(ip: "1.2.3.4", hostnames: ["a"])])
                == "# Kubernetes-managed hosts file (host network).\n127.0.0.1 localhost\n"
                + "\n# Entries added by HostAliases.\n1.2.3.4\ta\n")
    }
}
