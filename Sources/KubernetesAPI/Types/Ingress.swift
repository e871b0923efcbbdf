/// Leads requests from outside to services, by host and path.
public struct Ingress: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "networking.k8s.io", version: "v1", kind: "Ingress", plural: "ingresses", shortNames: ["ing"],
            namespaced: true)
    }

    @APIVersionOf<Ingress> public var apiVersion: String
    @KindOf<Ingress> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta = ObjectMeta()
    @ZeroIfAbsent public var spec: IngressSpec = IngressSpec()
    public var status: IngressStatus?

    public init() {}
}

/// The desired state of an ``Ingress``.
public struct IngressSpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    public var ingressClassName: String?
    /// For requests that no rule is about.
    public var defaultBackend: IngressBackend?
    public var tls: [IngressTLS]?
    public var rules: [IngressRule]?

    public init() {}
}

/// Where requests go: to a service or another object.
public struct IngressBackend: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    public var service: IngressServiceBackend?
    public var resource: TypedLocalObjectReference?

    public init() {}
}

/// A port of a service.
public struct IngressServiceBackend: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var name: String = ""
    public var port: ServiceBackendPort?

    public init() {}
}

/// A port, by name or by number.
public struct ServiceBackendPort: Codable, Hashable, Sendable {
    public var name: String?
    public var number: Int32?

    public init() {}
}

/// The certificate of some hosts.
public struct IngressTLS: Codable, Hashable, Sendable {
    public var hosts: [String]?
    public var secretName: String?

    public init() {}
}

/// The paths of one host.
public struct IngressRule: Codable, Hashable, Sendable {
    /// Absent means every host.
    public var host: String?
    public var http: HTTPIngressRuleValue?

    public init() {}
}

/// The paths of a rule.
public struct HTTPIngressRuleValue: Codable, Hashable, Sendable {
    @ZeroIfAbsent public var paths: [HTTPIngressPath] = []

    public init() {}
}

/// A path and where its requests go.
public struct HTTPIngressPath: Codable, Hashable, Sendable {
    public var path: String?
    /// `Exact`, `Prefix` or `ImplementationSpecific`.
    public var pathType: String?
    @ZeroIfAbsent public var backend: IngressBackend = IngressBackend()

    public init() {}
}

/// The observed state of an ``Ingress``.
public struct IngressStatus: Codable, Hashable, Sendable {
    public var loadBalancer: LoadBalancerStatus?

    public init() {}
}

/// Who carries an ``Ingress`` out.
public struct IngressClass: KubernetesResource, KindIdentified {
    public static var definition: ResourceDefinition {
        ResourceDefinition(
            group: "networking.k8s.io", version: "v1", kind: "IngressClass", plural: "ingressclasses",
            singular: "ingressclass", namespaced: false)
    }

    @APIVersionOf<IngressClass> public var apiVersion: String
    @KindOf<IngressClass> public var kind: String
    @ZeroIfAbsent public var metadata: ObjectMeta = ObjectMeta()
    @ZeroIfAbsent public var spec: IngressClassSpec = IngressClassSpec()

    public init() {}
}

/// What an ``IngressClass`` names.
public struct IngressClassSpec: Codable, Hashable, Sendable, ZeroValued {
    public static var zeroValue: Self { Self() }

    public var controller: String?
    public var parameters: IngressClassParametersReference?

    public init() {}
}

/// An object with settings of the controller.
public struct IngressClassParametersReference: Codable, Hashable, Sendable {
    public var apiGroup: String?
    @ZeroIfAbsent public var kind: String = ""
    @ZeroIfAbsent public var name: String = ""
    /// `Cluster` or `Namespace`.
    public var scope: String?
    public var namespace: String?

    public init() {}
}
