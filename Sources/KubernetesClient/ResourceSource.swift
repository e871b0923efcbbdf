public import KubernetesAPI

/// Where an informer gets its objects from.
public protocol ResourceSource<Resource>: Sendable {
    associatedtype Resource: KubernetesResource

    /// Of the server behind it; nil when there is none that could go away.
    var reachability: Reachability? { get }

    /// The complete collection, never a part of it.
    func list(resourceVersion: String) async throws(APIError) -> ResourceList<Resource>

    /// The changes since a resource version; errors are `APIError`.
    func watch(
        resourceVersion: String, timeoutSeconds: Int
    ) -> AsyncThrowingStream<ResourceWatchEvent<Resource>, any Error>
}

extension ResourceSource {
    public var reachability: Reachability? { nil }
}

/// One collection of an API server, narrowed by selectors.
public struct APIResourceSource<Resource: KubernetesResource>: ResourceSource {
    private let client: APIClient
    private let namespace: String?
    private let labelSelector: String
    private let fieldSelector: String

    /// - Parameter namespace: nil for all namespaces, or a cluster-scoped kind.
    public init(
        _ type: Resource.Type = Resource.self, client: APIClient, namespace: String? = nil, labelSelector: String = "",
        fieldSelector: String = ""
    ) {
        self.client = client
        self.namespace = namespace
        self.labelSelector = labelSelector
        self.fieldSelector = fieldSelector
    }

    public var reachability: Reachability? { client.reachability }

    public func list(resourceVersion: String) async throws(APIError) -> ResourceList<Resource> {
        try await client.list(
            Resource.self, namespace: namespace, labelSelector: labelSelector, fieldSelector: fieldSelector,
            resourceVersion: resourceVersion)
    }

    public func watch(
        resourceVersion: String, timeoutSeconds: Int
    ) -> AsyncThrowingStream<ResourceWatchEvent<Resource>, any Error> {
        client.watch(
            Resource.self, namespace: namespace, fieldSelector: fieldSelector, labelSelector: labelSelector,
            resourceVersion: resourceVersion, timeoutSeconds: timeoutSeconds)
    }
}
