import ArgumentParser

/// Where a node keeps its things. Several nodes on one host differ in all three.
struct PlaceOptions: ParsableArguments {
    @Option(help: "State that must survive a reboot. (default: /var/lib/swiftlet)")
    var root: String?

    @Option(help: "Sockets and running containers. (default: /run/swiftlet)")
    var run: String?

    @Option(help: "Container logs: pods/ and containers/ below it. (default: /var/log)")
    var logDir: String?
}

/// How local verbs find their node.
struct RunOption: ParsableArguments {
    static let standard = "/run/swiftlet"

    @Option(help: "The node's run directory.")
    var run = standard
}

/// A node's settings. A flag wins over the configuration file, and that over the default.
struct NodeOptions: ParsableArguments {
    @OptionGroup var places: PlaceOptions
    @OptionGroup var resources: ResourceOptions

    @Option(help: "Configuration file (YAML). Every flag has a field of the same name in it.")
    var config: String?

    @Option(help: "Name of the node. (default: the host name)")
    var nodeName: String?

    @Option(help: "Port of the node's own HTTPS API. 0 closes it. (default: 10250)")
    var nodePort: Int?

    @Option(
        name: .customLong("pod-cidr"),
        help: """
            Addresses for pods, one network or an IPv4 and an IPv6 one with a comma. (default: 10.85.0.0/24 and, where \
            the host has IPv6, a unique local network of the node's own)
            """)
    var podCIDR: String?

    @Option(help: "Directory with pods in files. (default: /etc/swiftlet/manifests)")
    var manifests: String?

    @Option(help: "What pods may ask of this node, by source and namespace. (default: /etc/swiftlet/policy.yaml)")
    var policy: String?

    @Option(help: "Mirrors, certificates and exceptions for registries. (default: /etc/swiftlet/registries.yaml)")
    var registries: String?

    @Option(
        help: "The node's credentials for registries, a docker config.json. (default: config.json below --root)")
    var registryCredentials: String?

    @Option(
        help: "Programs that give credentials for registries, a CredentialProviderConfig. (default: none)")
    var imageCredentialProviderConfig: String?

    @Option(help: "Directory of the programs that --image-credential-provider-config names.")
    var imageCredentialProviderBinDir: String?

    @Option(name: .customLong("manifest-url"), help: "URL of a document with pods, asked for every 20 s.")
    var manifestURL: String?

    @Option(name: .customLong("manifest-url-header"), help: "Header for --manifest-url, as 'Name: value'. Repeatable.")
    var manifestURLHeaders: [String] = []

    @Option(help: "cgroup below which pods hang, such as a delegated systemd unit's. (default: /swiftlet)")
    var cgroupRoot: String?

    @Option(help: "Path of swiftlet-monitor. (default: beside swiftlet, or /usr/lib/swiftlet)")
    var monitor: String?

    @Option(
        help: """
            Kernel parameters that pods may set beside the safe ones, with commas: names, or beginnings with a '*', such \
            as kernel.msg*,net.core.somaxconn. (default: none)
            """)
    var allowedUnsafeSysctls: String?

    @Option(help: "What the endpoint writes down of each request: None, Metadata or Request. (default: Metadata)")
    var audit: String?

    @OptionGroup(title: "The node's own API") var api: NodeAPIOptions

    @OptionGroup(title: "Protection of the node") var protection: ProtectionOptions

    @Option(help: "Address of this node for its pods and peers. (default: the default route's)")
    var nodeIP: String?
}
