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
        let hostNetwork = hostNetwork ?? false
        for index in containers.indices { containers[index].applyDefaults(hostNetwork: hostNetwork) }
        for index in (initContainers ?? []).indices {
            initContainers?[index].applyDefaults(hostNetwork: hostNetwork)
        }
        for index in (ephemeralContainers ?? []).indices {
            ephemeralContainers?[index].container.applyDefaults(hostNetwork: false)
        }
        for index in (volumes ?? []).indices { volumes?[index].applyDefaults() }
        applyResourceDefaults()
    }

    /// Requests that follow from limits, of the containers and of the pod as a whole.
    public mutating func applyResourceDefaults() {
        for index in containers.indices { containers[index].resources?.applyDefaults() }
        for index in (initContainers ?? []).indices { initContainers?[index].resources?.applyDefaults() }
        guard var whole = resources else { return }
        var containersOnly = self
        (containersOnly.resources, containersOnly.overhead) = (nil, nil)
        // What the containers ask for together stands before the pod's own limit.
        var requests = Self.podLevel(containersOnly.totalRequests)
        requests.merge(whole.requests ?? [:]) { _, given in given }
        requests.merge(Self.podLevel(whole.limits)) { known, _ in known }
        if !requests.isEmpty { whole.requests = requests }
        resources = whole
    }
}

extension Optional<String> {
    /// Absent and empty mean the same for fields with a default.
    func orDefault(_ value: String) -> String? {
        if let self, !self.isEmpty { return self }
        return value
    }
}
