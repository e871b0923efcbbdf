import KubernetesAPI

/// What a pod is called, by itself and in its domain. Pure.
struct PodHostname: Hashable, Sendable {
    /// Bytes that the kernel takes.
    private static let kernelLimit = 64
    /// Bytes of one DNS label.
    private static let labelLimit = 63

    let host: String
    /// Empty for a pod without a subdomain.
    let domain: String
    private let isFullyQualified: Bool

    init(_ pod: Pod, _ configuration: NodeAgentConfiguration) {
        self.init(pod, nodeName: configuration.nodeName, clusterDomain: configuration.clusterDomain)
    }

    /// spec.hostnameOverride as it is, spec.hostname, or the pod's name cut to what a label holds; the node's own with the
    /// host's network.
    init(_ pod: Pod, nodeName: String, clusterDomain: String) {
        let spec = pod.spec
        if spec.hostNetwork != true, let override = spec.hostnameOverride, !override.isEmpty {
            (host, domain, isFullyQualified) = (override, "", false)
            return
        }
        let subdomain = spec.subdomain ?? ""
        domain = subdomain.isEmpty ? "" : "\(subdomain).\(pod.metadata.namespace ?? "").svc.\(clusterDomain)"
        guard spec.hostNetwork != true else {
            (host, isFullyQualified) = (nodeName, false)
            return
        }
        let name = spec.hostname.flatMap { $0.isEmpty ? nil : $0 } ?? pod.metadata.name ?? ""
        var cut = Substring(name.prefix(Self.labelLimit))
        while let last = cut.last, last == "-" || last == "." { cut.removeLast() }
        host = String(cut)
        isFullyQualified = spec.setHostnameAsFQDN == true && !domain.isEmpty
    }

    /// What hostname(1) prints: the whole name when the pod asks for it.
    func kernelName() throws(ContainerConfigError) -> String {
        let name = isFullyQualified ? "\(host).\(domain)" : host
        guard name.utf8.count <= Self.kernelLimit else {
            throw ContainerConfigError(
                "Failed to construct FQDN from pod hostname and cluster domain, FQDN \(name) is too long "
                    + "(\(Self.kernelLimit) characters is the max, \(name.utf8.count) characters requested)")
        }
        return name
    }
}
