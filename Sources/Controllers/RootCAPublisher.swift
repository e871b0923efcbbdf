import KubernetesAPI
import KubernetesClient

/// Puts the certificate that pods trust the API server by into each namespace, as the ConfigMap `kube-root-ca.crt`.
final class RootCAPublisher: Controller {
    static let configMapName = "kube-root-ca.crt"
    private static let descriptionKey = "kubernetes.io/description"

    let name = "root-ca-publisher"

    private let namespaces: Informer<Namespace>
    private let configMaps: Informer<ConfigMap>
    private let client: APIClient
    private let certificatePEM: String

    /// - Parameter configMaps: those of the published name, in all namespaces.
    init(
        namespaces: Informer<Namespace>, configMaps: Informer<ConfigMap>, client: APIClient, certificatePEM: String
    ) {
        self.namespaces = namespaces
        self.configMaps = configMaps
        self.client = client
        self.certificatePEM = certificatePEM
    }

    /// - Parameter key: a namespace.
    func reconcile(_ key: ObjectKey) async throws -> ReconcileResult {
        guard configMaps.hasSynced, let namespace = namespaces.object(key),
            namespace.metadata.deletionTimestamp == nil
        else { return .done }
        let data = ["ca.crt": certificatePEM]
        let known = configMaps.object(ObjectKey(namespace: key.name, name: Self.configMapName))
        if let known, known.data == data { return .done }
        do throws(APIError) {
            if var known {
                known.data = data
                _ = try await client.update(known)
            } else {
                var made = ConfigMap()
                made.metadata.name = Self.configMapName
                made.metadata.namespace = key.name
                made.metadata.annotations = [
                    Self.descriptionKey:
                        "Contains a CA bundle that can be used to verify the API server by its own names and addresses."
                ]
                made.data = data
                _ = try await client.create(made)
            }
        } catch {
            // Made meanwhile, or the namespace is going: the informers will show it.
            if error.isAlreadyExists || error.isNotFound || error.isForbidden { return .done }
            throw error
        }
        return .done
    }
}
