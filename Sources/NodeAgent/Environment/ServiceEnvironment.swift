public import KubernetesAPI

/// The variables by which a container finds services without DNS: `REDIS_SERVICE_HOST` and its relatives, and the older
/// names that container links had.
public enum ServiceEnvironment {
    /// - Parameters:
    ///   - namespace: the pod's: only its services are shown, and none with `enableServiceLinks` false. The API
    ///     server's own service (`kubernetes` in `default`) always is, unless one of that name in the pod's namespace
    ///     hides it.
    public static func variables(
        services: [Service], namespace: String, enableServiceLinks: Bool
    ) -> [String: String] {
        var visible: [String: Service] = [:]
        for service in services where hasAddress(service) {
            let name = service.metadata.name ?? ""
            let isOwn = service.metadata.namespace == namespace && enableServiceLinks
            let isAPIServer = service.metadata.namespace == "default" && name == "kubernetes"
            if isOwn || (isAPIServer && visible[name] == nil) { visible[name] = service }
        }
        var variables: [String: String] = [:]
        for (_, service) in visible.sorted(by: { $0.key < $1.key }) { add(service, to: &variables) }
        return variables
    }

    private static func hasAddress(_ service: Service) -> Bool {
        let address = service.spec.clusterIP ?? ""
        return !address.isEmpty && address != "None"
    }

    private static func add(_ service: Service, to variables: inout [String: String]) {
        let prefix = variableName(service.metadata.name ?? "")
        let address = service.spec.clusterIP ?? ""
        variables[prefix + "_SERVICE_HOST"] = address
        for (index, port) in (service.spec.ports ?? []).enumerated() {
            let number = String(port.port)
            if index == 0 { variables[prefix + "_SERVICE_PORT"] = number }
            if let name = port.name, !name.isEmpty {
                variables["\(prefix)_SERVICE_PORT_\(variableName(name))"] = number
            }
            let transport = port.protocol.flatMap { $0.isEmpty ? nil : $0 } ?? "TCP"
            let host = address.contains(":") ? "[\(address)]" : address
            let url = "\(transport.lowercased())://\(host):\(number)"
            let link = "\(prefix)_PORT_\(number)_\(transport.uppercased())"
            if index == 0 { variables[prefix + "_PORT"] = url }
            variables[link] = url
            variables[link + "_PROTO"] = transport.lowercased()
            variables[link + "_PORT"] = number
            variables[link + "_ADDR"] = address
        }
    }

    private static func variableName(_ name: String) -> String {
        name.uppercased().split(separator: "-", omittingEmptySubsequences: false).joined(separator: "_")
    }
}
