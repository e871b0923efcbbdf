extension Pod: Defaultable {
    /// Fills what the API server fills when a pod is written.
    public mutating func applyDefaults() {
        spec.applyDefaults()
    }
}

extension PodSpec: Defaultable {
    public mutating func applyDefaults() {
        restartPolicy = restartPolicy.orDefault(RestartPolicy.always.rawValue)
        dnsPolicy = dnsPolicy.orDefault(DNSPolicy.clusterFirst.rawValue)
        schedulerName = schedulerName.orDefault("default-scheduler")
        terminationGracePeriodSeconds = terminationGracePeriodSeconds ?? 30
        enableServiceLinks = enableServiceLinks ?? true
        securityContext = securityContext ?? PodSecurityContext()
        // The two names of the field are kept equal; the current one wins.
        let account = serviceAccountName.orDefault(serviceAccount ?? "")
        if let account, !account.isEmpty {
            serviceAccountName = account
            serviceAccount = account
        }
        resources?.applyDefaults()
        let hostNetwork = hostNetwork ?? false
        for index in containers.indices { containers[index].applyDefaults(hostNetwork: hostNetwork) }
        for index in (initContainers ?? []).indices {
            initContainers?[index].applyDefaults(hostNetwork: hostNetwork)
        }
        for index in (ephemeralContainers ?? []).indices {
            ephemeralContainers?[index].container.applyDefaults(hostNetwork: false)
        }
        for index in (volumes ?? []).indices { volumes?[index].applyDefaults() }
    }
}

extension Optional<String> {
    /// Absent and empty mean the same for fields with a default.
    func orDefault(_ value: String) -> String? {
        if let self, !self.isEmpty { return self }
        return value
    }
}
