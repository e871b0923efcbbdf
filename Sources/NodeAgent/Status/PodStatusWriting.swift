public import KubernetesAPI
public import KubernetesClient

/// The calls the status manager makes: look, write, complete a deletion.
public protocol PodStatusWriting: Sendable {
    /// Of the server that is written to; nil when it cannot go away.
    var reachability: Reachability? { get }
    func pod(namespace: String, name: String) async throws(APIError) -> Pod
    /// Strategic merge patch of `pods/status`; returns the object as it is afterwards.
    func patchPodStatus(namespace: String, name: String, body: JSONValue) async throws(APIError) -> Pod
    func deletePod(namespace: String, name: String, options: DeleteOptions) async throws(APIError)
}

extension PodStatusWriting {
    public var reachability: Reachability? { nil }
}

extension APIClient: PodStatusWriting {
    public func pod(namespace: String, name: String) async throws(APIError) -> Pod {
        try await get(Pod.self, namespace: namespace, name: name)
    }

    public func patchPodStatus(namespace: String, name: String, body: JSONValue) async throws(APIError) -> Pod {
        try await patch(
            Pod.self, namespace: namespace, name: name, subresource: "status", type: .strategicMerge, body: body)
    }

    public func deletePod(namespace: String, name: String, options: DeleteOptions) async throws(APIError) {
        try await delete(Pod.self, namespace: namespace, name: name, options: options)
    }
}
