import Testing

@testable import PodNetwork

@Suite("A pod's resolv.conf")
struct ResolvConfTests {
    private static let hostFile = """
        # written by hand
        nameserver 192.0.2.53
        domain ignored.example
        search first.example
        search example.com. lan .
        options timeout:2 rotate
        options timeout:1
        """

    private func input(_ policy: ResolvConf.Policy, hostNetwork: Bool = false) -> ResolvConf.Input {
        ResolvConf.Input(
            policy: policy, usesHostNetwork: hostNetwork, podNamespace: "shop", clusterDNS: ["10.96.0.10"],
            clusterDomain: "cluster.local", hostFile: Self.hostFile)
    }

    private static let cluster = """
        search shop.svc.cluster.local svc.cluster.local cluster.local example.com lan .
        nameserver 10.96.0.10
        options ndots:5

        """
    private static let host = """
        search example.com lan .
        nameserver 192.0.2.53
        options timeout:1 rotate

        """

    @Test(
        "each policy gives its file",
        arguments: [
            (ResolvConf.Policy.clusterFirst, false, cluster), (.clusterFirst, true, host),
            (.clusterFirstWithHostNet, true, cluster), (.default, false, host), (.none, false, ""),
        ])
    func policies(policy: ResolvConf.Policy, hostNetwork: Bool, text: String) {
        let file = ResolvConf(input(policy, hostNetwork: hostNetwork))
        #expect(file.text == text)
        #expect(file.warnings.isEmpty)
    }

    @Test("without clusterDNS the pod gets the host's file and a warning")
    func missingClusterDNS() {
        var input = input(.clusterFirst)
        input.clusterDNS = []
        let file = ResolvConf(input)
        #expect(file.text == Self.host)
        #expect(file.warnings.map(\.reason) == [.missingClusterDNS])
        input.usesHostNetwork = true
        #expect(ResolvConf(input).warnings.isEmpty)
    }

    @Test("without a cluster domain only the host's search domains remain")
    func noDomain() {
        var input = input(.clusterFirst)
        input.clusterDomain = ""
        #expect(ResolvConf(input).searches == ["example.com", "lan", "."])
    }

    @Test("a node without a resolver file resolves nothing")
    func noHostFile() {
        var input = input(.default)
        input.hostFile = nil
        #expect(ResolvConf(input).text == "search .\nnameserver 127.0.0.1\n")
        input.policy = .clusterFirst
        #expect(ResolvConf(input).searches == ["shop.svc.cluster.local", "svc.cluster.local", "cluster.local"])
    }

    @Test("dnsConfig is appended without duplicates, its options override")
    func podConfig() {
        var input = input(.clusterFirst)
        input.podConfig = ResolvConf.PodConfig(
            nameservers: ["10.96.0.10", "1.1.1.1"], searches: ["lan", "extra.example"],
            options: [.init(name: "ndots", value: "2"), .init(name: "edns0"), .init(name: "trust-ad", value: "")])
        #expect(
            ResolvConf(input).text == """
                search shop.svc.cluster.local svc.cluster.local cluster.local example.com lan . extra.example
                nameserver 10.96.0.10
                nameserver 1.1.1.1
                options ndots:2 edns0 trust-ad

                """)
        input.policy = .none
        #expect(
            ResolvConf(input).text
                == "search lan extra.example\nnameserver 10.96.0.10\nnameserver 1.1.1.1\n"
                + "options ndots:2 edns0 trust-ad\n"
        )
    }

    @Test("limits cut the lists and say what is left")
    func limits() {
        var input = input(.none)
        input.podConfig = ResolvConf.PodConfig(nameservers: (1...4).map { "10.0.0.\($0)" })
        var file = ResolvConf(input)
        #expect(file.nameservers == ["10.0.0.1", "10.0.0.2", "10.0.0.3"])
        #expect(file.warnings.map(\.message) == ["more than 3 nameservers; used: 10.0.0.1 10.0.0.2 10.0.0.3"])

        input.podConfig = ResolvConf.PodConfig(searches: (1...33).map { "d\($0)" })
        file = ResolvConf(input)
        #expect(file.searches == (1...32).map { "d\($0)" })
        #expect(file.warnings.map(\.reason) == [.dnsConfigForming])

        // Sixteen of 127 and their 15 spaces are 2047 characters; the next does not fit.
        let long = (10...26).map { "\($0)" + String(repeating: "x", count: 125) }
        input.podConfig = ResolvConf.PodConfig(searches: long)
        #expect(ResolvConf(input).searches == Array(long.prefix(16)))

        input.podConfig = ResolvConf.PodConfig(searches: [String(repeating: "y", count: 254), "short"])
        #expect(ResolvConf(input).searches == ["short"])
    }
}
