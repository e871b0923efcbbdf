public import KubernetesAPI

/// Which token a pod wants: of whose account, for whom, and for how long.
public struct ServiceAccountTokenKey: Hashable, Sendable {
    public let namespace: String
    public let serviceAccount: String
    public let podName: String
    /// The token is worth nothing once the pod of this UID is gone.
    public let podUID: String
    /// Who is to accept it; nil for the API server itself.
    public let audience: String?
    public let expirationSeconds: Int64

    /// What an API server fills in when a pod does not say.
    private static let defaultSeconds: Int64 = 3600

    public init(_ pod: Pod, _ projection: ServiceAccountTokenProjection) {
        namespace = pod.metadata.namespace ?? ""
        serviceAccount = pod.spec.serviceAccountName.flatMap { $0.isEmpty ? nil : $0 } ?? "default"
        podName = pod.metadata.name ?? ""
        podUID = pod.metadata.uid ?? ""
        audience = projection.audience.flatMap { $0.isEmpty ? nil : $0 }
        expirationSeconds = projection.expirationSeconds ?? Self.defaultSeconds
    }
}
