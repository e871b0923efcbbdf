import Testing

@testable import PodNetwork

@Suite("The nftables script")
struct NftablesScriptTests {
    @Test("the table is replaced whole: masquerade out of each CIDR, the bridge accepted")
    func define() throws {
        let script = NftablesScript.define(
            table: "pods", bridge: "br0", podCIDRs: [try CIDR(parsing: "10.0.0.0/24"), try CIDR(parsing: "fd00::/64")])
        #expect(
            script == """
                table inet pods
                delete table inet pods
                table inet pods {
                chain postrouting {
                type nat hook postrouting priority srcnat; policy accept;
                ip saddr 10.0.0.0/24 ip daddr != 10.0.0.0/24 ip daddr != 224.0.0.0/4 oifname != "br0" masquerade
                ip6 saddr fd00::/64 ip6 daddr != fd00::/64 ip6 daddr != ff00::/8 oifname != "br0" masquerade
                }
                chain forward {
                type filter hook forward priority filter; policy accept;
                iifname "br0" accept
                oifname "br0" accept
                }
                }

                """)
    }

    @Test("another firewall's forward chain that drops by default is found, ours and harmless ones are not")
    func droppingChains() {
        let listing = """
            table ip filter {
            \tchain INPUT {
            \t\ttype filter hook input priority filter; policy drop;
            \t}
            \tchain FORWARD {
            \t\ttype filter hook forward priority filter; policy drop;
            \t}
            \tchain DOCKER {
            \t}
            }
            table inet pods {
            \tchain forward {
            \t\ttype filter hook forward priority filter; policy drop;
            \t}
            }
            table inet other {
            \tchain forward {
            \t\ttype filter hook forward priority filter; policy accept;
            \t}
            }
            """
        #expect(NftablesScript.droppingForwardChains(in: listing, ownTable: "pods") == ["ip filter FORWARD"])
    }
}
