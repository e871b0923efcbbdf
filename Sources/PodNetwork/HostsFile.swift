/// A pod's /etc/hosts, as Kubernetes lays it out. No I/O.
public enum HostsFile {
    /// PodSpec.hostAliases.
    public struct Alias: Hashable, Sendable {
        public var ip: String
        public var hostnames: [String]

        public init(ip: String, hostnames: [String]) {
            self.ip = ip
            self.hostnames = hostnames
        }
    }

    /// For a pod with its own network: the loopback names, the pod's own name for each of its addresses, the aliases.
    /// - Parameter domain: what follows the host name in the pod's full name (`sub.ns.svc.cluster.local`); empty without
    ///   subdomain.
    public static func text(podIPs: [IPAddress], hostname: String, domain: String = "", aliases: [Alias] = []) -> String
    {
        var text = "# Kubernetes-managed hosts file.\n"
        text += "127.0.0.1\tlocalhost\n"
        text += "::1\tlocalhost ip6-localhost ip6-loopback\n"
        text += "fe00::0\tip6-localnet\n"
        text += "fe00::0\tip6-mcastprefix\n"
        text += "fe00::1\tip6-allnodes\n"
        text += "fe00::2\tip6-allrouters\n"
        for ip in podIPs {
            text += domain.isEmpty ? "\(ip)\t\(hostname)\n" : "\(ip)\t\(hostname).\(domain)\t\(hostname)\n"
        }
        return text + entries(aliases)
    }

    /// For a pod in the host's network: the host's own file and the aliases.
    public static func hostNetworkText(hostFile: String, aliases: [Alias] = []) -> String {
        "# Kubernetes-managed hosts file (host network).\n" + hostFile + entries(aliases)
    }

    private static func entries(_ aliases: [Alias]) -> String {
        if aliases.isEmpty { return "" }
        var text = "\n# Entries added by HostAliases.\n"
        for alias in aliases { text += "\(alias.ip)\t\(alias.hostnames.joined(separator: "\t"))\n" }
        return text
    }
}
