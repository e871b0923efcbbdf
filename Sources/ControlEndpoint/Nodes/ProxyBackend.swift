internal import Glibc
internal import KubernetesAPI

/// What a proxied request names: `NAME`, `NAME:PORT` or `SCHEME:NAME:PORT`.
struct ProxyTarget: Hashable, Sendable {
    var scheme = "http"
    var name: String
    /// A number or a name.
    var port: String?

    init?(parsing text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        switch parts.count {
        case 1: name = parts[0]
        case 2: (name, port) = (parts[0], parts[1])
        case 3:
            guard ["", "http", "https"].contains(parts[0]) else { return nil }
            (name, port) = (parts[1], parts[2])
            if parts[0] == "https" { scheme = "https" }
        default: return nil
        }
        if port == "" { port = nil }
        guard !name.isEmpty else { return nil }
    }
}

/// Where a proxied request goes. Pure.
struct ProxyBackend: Hashable, Sendable {
    var address: String
    var port: Int

    private init(address: String, port: Int) { (self.address, self.port) = (address, port) }

    /// The port that is named, else the first that a container declares, else 80.
    init(pod: JSONValue, _ target: ProxyTarget) throws(APIStatusError) {
        let address = pod.string("status", "podIP")
        guard !address.isEmpty else {
            throw .unavailable("pod \(target.name) has no address (phase \(pod.string("status", "phase")))")
        }
        if let text = target.port {
            guard let port = Int(text) ?? Self.containerPort(named: text, of: pod), (1...65535).contains(port) else {
                throw .badRequest("invalid port \"\(text)\" of pod \(target.name)")
            }
            self.init(address: address, port: port)
        } else {
            let declared = pod.list("spec", "containers").flatMap { $0.list("ports") }.first
            self.init(address: address, port: Int(declared?["containerPort"]?.intValue ?? 80))
        }
    }

    /// Nil for a pod that is not to be asked now, or has no such port.
    init?(readyPod pod: JSONValue, servicePort: JSONValue) {
        let isReady = pod.list("status", "conditions").contains {
            $0.string("type") == "Ready" && $0.string("status") == "True"
        }
        let address = pod.string("status", "podIP")
        guard isReady, !address.isEmpty, pod.string("metadata", "deletionTimestamp").isEmpty else { return nil }
        let number: Int?
        switch servicePort["targetPort"] {
        case .integer(let port)?: number = Int(port)
        case .string(let name)?: number = Int(name) ?? Self.containerPort(named: name, of: pod)
        default: number = servicePort["port"]?.intValue.map { Int($0) }
        }
        guard let number, (1...65535).contains(number) else { return nil }
        self.init(address: address, port: number)
    }

    /// The ready addresses of an EndpointSlice at the port of the service's name for it.
    static func all(inSlice slice: JSONValue, port: JSONValue) -> [ProxyBackend] {
        let ports = slice.list("ports").filter { $0.string("name") == port.string("name") }
        guard let number = ports.first?["port"]?.intValue, (1...65535).contains(number) else { return [] }
        return slice.list("endpoints").filter { $0[path: "conditions", "ready"]?.boolValue != false }
            .flatMap { $0.list("addresses").compactMap(\.stringValue) }
            .map { ProxyBackend(address: $0, port: Int(number)) }
    }

    /// The port of a service by its number or name; without one, the only one.
    static func port(of service: JSONValue, named name: String?) -> JSONValue? {
        let ports = service.list("spec", "ports")
        guard let name else { return ports.count == 1 ? ports[0] : nil }
        return ports.first { $0.string("name") == name || $0["port"]?.intValue.map(String.init) == name }
    }

    private static func containerPort(named name: String, of pod: JSONValue) -> Int? {
        let ports = pod.list("spec", "containers").flatMap { $0.list("ports") }
        return ports.first { $0.string("name") == name }?["containerPort"]?.intValue.map { Int($0) }
    }

    /// Whoever may write the status of a pod must not lead the endpoint to what listens for this machine alone.
    static func isAllowed(_ address: String) -> Bool {
        var four = in_addr()
        if inet_pton(AF_INET, address, &four) == 1 { return isAllowed(UInt32(bigEndian: four.s_addr)) }
        guard let bytes = CertificateProfile.addressBytes(address), bytes.count == 16 else { return false }
        // An IPv4 address in the form of IPv6.
        if bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10] == bytes[11], [0, 0xff].contains(bytes[10]) {
            return isAllowed(bytes[12...].reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
        }
        let isLinkLocal = bytes[0] == 0xfe && bytes[1] & 0xc0 == 0x80
        return !isLinkLocal && bytes[0] != 0xff
    }

    /// Not this network, the loopback, what is link-local, or what goes to many.
    private static func isAllowed(_ value: UInt32) -> Bool {
        value >> 24 != 0 && value >> 24 != 127 && value >> 16 != 0xa9fe && value >> 28 < 0xe
    }
}
