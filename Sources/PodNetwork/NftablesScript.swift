/// The rules of a node's own table, as one transaction: pure text.
enum NftablesScript {
    /// Defines the table anew in one atomic step, whatever it held: declared so that it exists, removed, defined.
    ///
    /// What leaves the pods' network takes the host's address on the way out; multicast and what stays on the bridge
    /// does not (with br_netfilter bridged packets pass here too). The forward chain accepts what comes from or goes to
    /// the bridge and leaves the rest to whoever else filters: its policy opens nothing, because each table's verdict
    /// counts alone.
    static func define(table: String, bridge: String, podCIDRs: [CIDR]) -> String {
        var lines = ["table inet \(table)", "delete table inet \(table)", "table inet \(table) {"]
        lines.append("chain postrouting {")
        lines.append("type nat hook postrouting priority srcnat; policy accept;")
        for cidr in podCIDRs {
            let family = cidr.family == .v4 ? "ip" : "ip6"
            let multicast = cidr.family == .v4 ? "224.0.0.0/4" : "ff00::/8"
            lines.append(
                "\(family) saddr \(cidr) \(family) daddr != \(cidr) \(family) daddr != \(multicast) "
                    + "oifname != \"\(bridge)\" masquerade")
        }
        lines.append("}")
        lines.append("chain forward {")
        lines.append("type filter hook forward priority filter; policy accept;")
        lines.append("iifname \"\(bridge)\" accept")
        lines.append("oifname \"\(bridge)\" accept")
        lines.append("}")
        lines.append("}")
        return lines.joined(separator: "\n") + "\n"
    }

    /// Removes the table; an absent one is fine.
    static func remove(table: String) -> String { "table inet \(table)\ndelete table inet \(table)\n" }

    /// The chains of other tables that drop what they do not know on the way through the host, in the output of `list
    /// chains`: they would drop the pods' packets whatever our table says. As `family table chain`.
    static func droppingForwardChains(in listing: String, ownTable: String) -> [String] {
        var table = ""
        var chain = ""
        var found: [String] = []
        for line in listing.split(separator: "\n") {
            let words = line.split(whereSeparator: { " \t;".contains($0) }).map(String.init)
            switch words.first {
            case "table": table = words.dropFirst().prefix(2).joined(separator: " ")
            case "chain": chain = words.dropFirst().first ?? ""
            case "type":
                if words.contains("forward"), words.suffix(2) == ["policy", "drop"], table != "inet \(ownTable)" {
                    found.append("\(table) \(chain)")
                }
            default: break
            }
        }
        return found
    }
}
