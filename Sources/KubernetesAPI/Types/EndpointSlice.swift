/// A part of the addresses behind a service.
public struct EndpointSlice: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "discovery.k8s.io", version: "v1", kind: "EndpointSlice", plural: "endpointslices",
            namespaced: true)
    }

    @APIVersionOf<EndpointSlice> public var apiVersion: String
    @KindOf<EndpointSlice> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta = ObjectMeta()
    /// `IPv4`, `IPv6` or `FQDN`.
    @ZeroIfAbsent public var addressType: String = ""
    @ZeroIfAbsent public var endpoints: [Endpoint] = []
    public var ports: [EndpointPort]?

    public init() {}
}

/// One place that serves.
public struct Endpoint: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var addresses: [String] = []
    public var conditions: EndpointConditions?
    public var hostname: String?
    public var targetRef: ObjectReference?
    public var deprecatedTopology: [String: String]?
    public var nodeName: String?
    public var zone: String?
    public var hints: EndpointHints?

    public init() {}
}

/// Whether an ``Endpoint`` serves; absent counts as yes.
public struct EndpointConditions: Codable, Hashable, Sendable {
    public var ready: Bool?
    public var serving: Bool?
    public var terminating: Bool?

    public init() {}
}

/// Who should rather use an ``Endpoint``.
public struct EndpointHints: Codable, Hashable, Sendable {
    public var forZones: [NamedHint]?
    public var forNodes: [NamedHint]?

    public init() {}
}

/// A zone or a node.
public struct NamedHint: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var name: String = ""

    public init() {}
}

/// A port of the addresses.
public struct EndpointPort: Codable, Hashable, Sendable {
    public var name: String?
    public var `protocol`: String?
    public var port: Int32?
    public var appProtocol: String?

    public init() {}
}

/// All addresses behind a service, in the older form.
public struct Endpoints: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            version: "v1", kind: "Endpoints", plural: "endpoints", shortNames: ["ep"], namespaced: true)
    }

    @APIVersionOf<Endpoints> public var apiVersion: String
    @KindOf<Endpoints> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta = ObjectMeta()
    public var subsets: [EndpointSubset]?

    public init() {}
}

/// Addresses that serve the same ports.
public struct EndpointSubset: Codable, Hashable, Sendable {
    public var addresses: [EndpointAddress]?
    public var notReadyAddresses: [EndpointAddress]?
    public var ports: [EndpointPort]?

    public init() {}
}

/// One address of an ``EndpointSubset``.
public struct EndpointAddress: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var ip: String = ""
    public var hostname: String?
    public var nodeName: String?
    public var targetRef: ObjectReference?

    public init() {}
}
