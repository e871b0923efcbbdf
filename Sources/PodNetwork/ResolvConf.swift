/// A pod's resolv.conf(5), decided from the pod's policy, the cluster's servers and the host's file. No I/O.
public struct ResolvConf: Hashable, Sendable {
    /// PodSpec.dnsPolicy.
    public enum Policy: String, Hashable, Sendable {
        case clusterFirst = "ClusterFirst"
        case clusterFirstWithHostNet = "ClusterFirstWithHostNet"
        case `default` = "Default"
        case none = "None"
    }

    /// PodSpec.dnsConfig.
    public struct PodConfig: Hashable, Sendable {
        public struct Option: Hashable, Sendable {
            public var name: String
            public var value: String?

            public init(name: String, value: String? = nil) {
                self.name = name
                self.value = value
            }
        }

        public var nameservers: [String]
        public var searches: [String]
        public var options: [Option]

        public init(nameservers: [String] = [], searches: [String] = [], options: [Option] = []) {
            self.nameservers = nameservers
            self.searches = searches
            self.options = options
        }
    }

    /// What the pod's owner should be told, as an event of type Warning.
    public struct Warning: Hashable, Sendable {
        public enum Reason: String, Hashable, Sendable {
            case missingClusterDNS = "MissingClusterDNS"
            case dnsConfigForming = "DNSConfigForming"
        }

        public var reason: Reason
        public var message: String
    }

    public struct Input: Hashable, Sendable {
        public var policy: Policy
        public var usesHostNetwork: Bool
        public var podNamespace: String
        public var clusterDNS: [String]
        /// Such as `cluster.local`; empty leaves the cluster's search domains out.
        public var clusterDomain: String
        /// The text of the node's file; nil when the node is configured to have none (`resolvConf: ""`), which makes
        /// name resolution fail at once instead of asking somebody.
        public var hostFile: String?
        public var podConfig: PodConfig?

        public init(
            policy: Policy = .clusterFirst, usesHostNetwork: Bool = false, podNamespace: String, clusterDNS: [String],
            clusterDomain: String, hostFile: String?, podConfig: PodConfig? = nil
        ) {
            self.policy = policy
            self.usesHostNetwork = usesHostNetwork
            self.podNamespace = podNamespace
            self.clusterDNS = clusterDNS
            self.clusterDomain = clusterDomain
            self.hostFile = hostFile
            self.podConfig = podConfig
        }
    }

    /// Three is glibc's MAXNS; the others are what Kubernetes allows (validation of dnsConfig).
    static let maximumNameservers = 3
    static let maximumSearches = 32
    static let maximumSearchCharacters = 2048
    /// The longest DNS name; glibc 2.28 aborts on a longer search domain.
    static let maximumDomainCharacters = 253

    public private(set) var nameservers: [String] = []
    public private(set) var searches: [String] = []
    /// `name` or `name:value`.
    public private(set) var options: [String] = []
    public private(set) var warnings: [Warning] = []

    public init(_ input: Input) {
        let host = input.hostFile.map(Self.init(parsing:))
        switch Self.base(input) {
        case .nothing:
            break
        case .cluster:
            nameservers = input.clusterDNS
            searches = Self.unique(Self.clusterSearches(input) + (host?.searches ?? []))
            options = ["ndots:5"]
        case .host:
            nameservers = host?.nameservers ?? ["127.0.0.1"]
            searches = host?.searches ?? ["."]
            options = host?.options ?? []
        }
        if Self.wantsCluster(input), input.clusterDNS.isEmpty {
            warnings.append(
                Warning(
                    reason: .missingClusterDNS,
                    message: "dnsPolicy \(input.policy.rawValue) needs clusterDNS, which this node has not configured; "
                        + "the pod gets the host's resolver configuration as with dnsPolicy Default"))
        }
        if let podConfig = input.podConfig { append(podConfig) }
        fitLimits()
    }

    /// The file, ending with a newline; empty when there is nothing to say.
    public var text: String {
        var text = ""
        if !searches.isEmpty { text += "search " + searches.joined(separator: " ") + "\n" }
        for nameserver in nameservers { text += "nameserver \(nameserver)\n" }
        if !options.isEmpty { text += "options " + options.joined(separator: " ") + "\n" }
        return text
    }
}

extension ResolvConf {
    private enum Base {
        case cluster
        case host
        case nothing
    }

    private static func wantsCluster(_ input: Input) -> Bool {
        switch input.policy {
        case .clusterFirst: !input.usesHostNetwork
        case .clusterFirstWithHostNet: true
        case .default, .none: false
        }
    }

    private static func base(_ input: Input) -> Base {
        if input.policy == .none { return .nothing }
        return wantsCluster(input) && !input.clusterDNS.isEmpty ? .cluster : .host
    }

    private static func clusterSearches(_ input: Input) -> [String] {
        guard !input.clusterDomain.isEmpty else { return [] }
        let services = "svc.\(input.clusterDomain)"
        return ["\(input.podNamespace).\(services)", services, input.clusterDomain]
    }

    /// Reads a host's file: every `nameserver`, the last `search`, every `options`. Other lines, comments among them,
    /// say nothing.
    private init(parsing text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            switch words.first {
            case "nameserver": if words.count > 1 { nameservers.append(words[1]) }
            // With and without its final dot a domain is the same one.
            case "search":
                searches = words.dropFirst().map { $0 != "." && $0.hasSuffix(".") ? String($0.dropLast()) : $0 }
            case "options": mergeOptions(words.dropFirst())
            default: break
            }
        }
    }

    private mutating func append(_ config: PodConfig) {
        nameservers = Self.unique(nameservers + config.nameservers)
        searches = Self.unique(searches + config.searches)
        mergeOptions(
            config.options.map { option in
                option.value.map { $0.isEmpty ? option.name : "\(option.name):\($0)" } ?? option.name
            })
    }

    /// A later option of the same name takes the place of the earlier one.
    private mutating func mergeOptions(_ added: some Sequence<String>) {
        for option in added {
            let name = option.prefix { $0 != ":" }
            if let index = options.firstIndex(where: { $0.prefix { $0 != ":" } == name }) {
                options[index] = option
            } else {
                options.append(option)
            }
        }
    }

    private mutating func fitLimits() {
        if nameservers.count > Self.maximumNameservers {
            nameservers = Array(nameservers.prefix(Self.maximumNameservers))
            warn("more than \(Self.maximumNameservers) nameservers; used: \(nameservers.joined(separator: " "))")
        }
        var fitting = searches.prefix(Self.maximumSearches).filter { $0.utf8.count <= Self.maximumDomainCharacters }
        while fitting.reduce(-1, { $0 + $1.utf8.count + 1 }) > Self.maximumSearchCharacters { fitting.removeLast() }
        if fitting.count < searches.count {
            searches = fitting
            warn("search domains left out to stay within limits; used: \(searches.joined(separator: " "))")
        }
    }

    private mutating func warn(_ message: String) {
        warnings.append(Warning(reason: .dnsConfigForming, message: message))
    }

    private static func unique(_ values: [String]) -> [String] {
        var seen: Set<String> = []
        return values.filter { seen.insert($0).inserted }
    }
}
