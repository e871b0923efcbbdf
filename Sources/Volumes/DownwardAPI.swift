public import KubernetesAPI

/// Facts about a pod as text, for environment variables and files.
public enum DownwardAPI {
    /// What is known of a pod on its node only once it is there. Files cannot show it: they are made before.
    public struct Placement: Hashable, Sendable {
        public var nodeName: String
        /// The primary one first.
        public var podIPs: [String]
        /// The primary one first.
        public var hostIPs: [String]

        public init(nodeName: String, podIPs: [String], hostIPs: [String]) {
            self.nodeName = nodeName
            self.podIPs = podIPs
            self.hostIPs = hostIPs
        }
    }

    /// The value of a field of the pod; an absent label or annotation is empty.
    ///
    /// - Parameter placement: nil in volumes, where only metadata is supported.
    public static func fieldValue(
        _ selector: ObjectFieldSelector, of pod: Pod, placement: Placement? = nil
    ) throws(DownwardAPIError) -> String {
        let metadata = pod.metadata
        if let (map, key) = selector.subscripted {
            switch map {
            case "metadata.labels": return metadata.labels?[key] ?? ""
            case "metadata.annotations": return metadata.annotations?[key] ?? ""
            default: throw DownwardAPIError("fieldPath \(JSONValue.string(map)) does not support subscript")
            }
        }
        switch selector.fieldPath {
        case "metadata.name": return metadata.name ?? ""
        case "metadata.namespace": return metadata.namespace ?? ""
        case "metadata.uid": return metadata.uid ?? ""
        case "metadata.labels": return format(metadata.labels ?? [:])
        case "metadata.annotations": return format(metadata.annotations ?? [:])
        default: break
        }
        if let placement {
            switch selector.fieldPath {
            case "spec.nodeName": return placement.nodeName
            case "spec.serviceAccountName": return pod.spec.serviceAccountName ?? ""
            case "status.hostIP": return placement.hostIPs.first ?? ""
            case "status.hostIPs": return placement.hostIPs.joined(separator: ",")
            case "status.podIP": return placement.podIPs.first ?? ""
            case "status.podIPs": return placement.podIPs.joined(separator: ",")
            default: break
            }
        }
        throw DownwardAPIError("unsupported fieldPath: \(JSONValue.string(selector.fieldPath))")
    }

    /// A limit or request of a container of the pod, which the selector must name.
    public static func resourceValue(
        _ selector: ResourceFieldSelector, of pod: Pod, nodeAllocatable: [String: Quantity]
    ) throws(DownwardAPIError) -> String {
        let name = selector.containerName ?? ""
        let containers = pod.spec.containers + (pod.spec.initContainers ?? [])
        guard let container = containers.first(where: { $0.name == name }) else {
            throw DownwardAPIError("container \(name) not found")
        }
        return try resourceValue(selector, of: container, nodeAllocatable: nodeAllocatable)
    }

    /// A limit or request in units of the divisor, rounded up. A limit that is not set is what the node can give, a
    /// request that is not set is 0.
    public static func resourceValue(
        _ selector: ResourceFieldSelector, of container: Container, nodeAllocatable: [String: Quantity]
    ) throws(DownwardAPIError) -> String {
        let parts = selector.resource.split(separator: ".", maxSplits: 1).map(String.init)
        guard parts.count == 2, isSupported(parts[1]) else { throw unsupported(selector) }
        let amount: Quantity
        switch parts[0] {
        case "limits":
            let limit = container.resources?.limits?[parts[1]] ?? .zero
            amount = limit.isZero ? nodeAllocatable[parts[1]] ?? .zero : limit
        case "requests": amount = container.resources?.requests?[parts[1]] ?? .zero
        default: throw unsupported(selector)
        }
        let given = selector.divisor ?? .zero
        let divisor = given.isZero ? Quantity.count(1) : given
        let isCPU = parts[1] == "cpu"
        let unit = isCPU ? divisor.milliValue : divisor.value
        guard unit > 0 else { throw DownwardAPIError("divisor \(divisor) must be positive") }
        let (quotient, remainder) = (isCPU ? amount.milliValue : amount.value).quotientAndRemainder(dividingBy: unit)
        return String(remainder > 0 ? quotient + 1 : quotient)
    }

    private static func isSupported(_ resource: String) -> Bool {
        ["cpu", "memory", "ephemeral-storage"].contains(resource) || resource.hasPrefix("hugepages-")
    }

    private static func unsupported(_ selector: ResourceFieldSelector) -> DownwardAPIError {
        DownwardAPIError("unsupported container resource: \(JSONValue.string(selector.resource))")
    }

    /// One `key="value"` a line, sorted, no newline at the end.
    static func format(_ map: [String: String]) -> String {
        map.sorted { Array($0.key.utf8).lexicographicallyPrecedes(Array($1.key.utf8)) }
            .map { "\($0.key)=\($0.value.goLiteral)" }
            .joined(separator: "\n")
    }
}
