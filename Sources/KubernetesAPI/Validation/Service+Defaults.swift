extension Service: Defaultable {
    /// Fills what the API server fills, except the addresses and node ports it allocates.
    public mutating func applyDefaults() {
        spec.type = spec.type.orDefault(ServiceType.clusterIP.rawValue)
        spec.sessionAffinity = spec.sessionAffinity.orDefault("None")
        if spec.sessionAffinity == "None" { spec.sessionAffinityConfig = nil }
        if spec.sessionAffinity == "ClientIP" {
            var config = spec.sessionAffinityConfig ?? SessionAffinityConfig()
            var clientIP = config.clientIP ?? ClientIPConfig()
            clientIP.timeoutSeconds = clientIP.timeoutSeconds ?? 10800
            config.clientIP = clientIP
            spec.sessionAffinityConfig = config
        }
        for index in (spec.ports ?? []).indices { spec.ports?[index].applyDefaults() }
        let type = ServiceType(rawValue: spec.type ?? "")
        if type == .nodePort || type == .loadBalancer {
            spec.externalTrafficPolicy = spec.externalTrafficPolicy.orDefault("Cluster")
        }
        if type == .clusterIP || type == .nodePort || type == .loadBalancer {
            spec.internalTrafficPolicy = spec.internalTrafficPolicy.orDefault("Cluster")
        }
        if type == .loadBalancer {
            spec.allocateLoadBalancerNodePorts = spec.allocateLoadBalancerNodePorts ?? true
        }
    }
}

extension ServicePort {
    mutating func applyDefaults() {
        `protocol` = `protocol`.orDefault("TCP")
        switch targetPort {
        case .none, .some(.int(0)), .some(.string("")): targetPort = .int(port)
        case .some(.int), .some(.string): break
        }
    }
}
