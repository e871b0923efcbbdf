extension Container {
    mutating func applyDefaults(hostNetwork: Bool) {
        imagePullPolicy = imagePullPolicy.orDefault(ImagePullPolicy.defaultFor(image: image ?? "").rawValue)
        terminationMessagePath = terminationMessagePath.orDefault("/dev/termination-log")
        terminationMessagePolicy = terminationMessagePolicy.orDefault("File")
        for index in (ports ?? []).indices { ports?[index].applyDefaults(hostNetwork: hostNetwork) }
        for index in (env ?? []).indices { env?[index].valueFrom?.fieldRef?.applyDefaults() }
        resources?.applyDefaults()
        livenessProbe?.applyDefaults()
        readinessProbe?.applyDefaults()
        startupProbe?.applyDefaults()
        lifecycle?.postStart?.httpGet?.applyDefaults()
        lifecycle?.preStop?.httpGet?.applyDefaults()
    }
}

extension ContainerPort {
    mutating func applyDefaults(hostNetwork: Bool) {
        `protocol` = `protocol`.orDefault("TCP")
        // On the host network the container's port is the host's port.
        if hostNetwork, hostPort ?? 0 == 0 { hostPort = containerPort }
    }
}

extension ResourceRequirements: Defaultable {
    /// A resource with only a limit is requested up to that limit.
    public mutating func applyDefaults() {
        guard let limits, !limits.isEmpty else { return }
        requests = limits.merging(requests ?? [:]) { _, given in given }
    }
}

extension ObjectFieldSelector {
    mutating func applyDefaults() {
        apiVersion = apiVersion.orDefault("v1")
    }
}

extension Probe: Defaultable {
    public mutating func applyDefaults() {
        // 0 is not a meaningful value of these four: Go cannot tell it from absent, and neither does the API.
        timeoutSeconds = timeoutSeconds.orDefault(1)
        periodSeconds = periodSeconds.orDefault(10)
        successThreshold = successThreshold.orDefault(1)
        failureThreshold = failureThreshold.orDefault(3)
        httpGet?.applyDefaults()
        if let service = grpc.map({ $0.service ?? "" }) { grpc?.service = service }
    }
}

extension HTTPGetAction {
    mutating func applyDefaults() {
        path = path.orDefault("/")
        scheme = scheme.orDefault("HTTP")
    }
}

extension Optional<Int32> {
    func orDefault(_ value: Int32) -> Int32 {
        if let self, self != 0 { return self }
        return value
    }
}

extension ImagePullPolicy {
    /// `Always` for a reference that may move (tag `latest`, or neither tag nor digest), else `IfNotPresent`.
    public static func defaultFor(image: String) -> ImagePullPolicy {
        if image.utf8.contains(UInt8(ascii: "@")) { return .ifNotPresent }
        let lastComponent = image.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        guard let colon = lastComponent.lastIndex(of: ":") else { return .always }
        return lastComponent[lastComponent.index(after: colon)...] == "latest" ? .always : .ifNotPresent
    }
}
