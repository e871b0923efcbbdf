public import KubernetesAPI
public import KubernetesClient

/// The calls the node's own object needs.
public protocol NodeWriting: Sendable {
    func createNode(_ node: Node) async throws(APIError) -> Node
    func node(named name: String) async throws(APIError) -> Node
    /// Strategic merge patch; returns the object as it is afterwards.
    ///
    /// - Parameter subresource: `status`, or nil for the object itself.
    func patchNode(named name: String, subresource: String?, body: JSONValue) async throws(APIError) -> Node
}

/// The calls the node's lease needs.
public protocol NodeLeaseWriting: Sendable {
    func lease(namespace: String, name: String) async throws(APIError) -> Lease
    func createLease(_ lease: Lease) async throws(APIError) -> Lease
    func updateLease(_ lease: Lease) async throws(APIError) -> Lease
}

extension APIClient: NodeWriting, NodeLeaseWriting {
    public func createNode(_ node: Node) async throws(APIError) -> Node { try await create(node) }

    public func node(named name: String) async throws(APIError) -> Node { try await get(Node.self, name: name) }

    public func patchNode(
        named name: String, subresource: String?, body: JSONValue
    ) async throws(APIError) -> Node {
        try await patch(Node.self, name: name, subresource: subresource, type: .strategicMerge, body: body)
    }

    public func lease(namespace: String, name: String) async throws(APIError) -> Lease {
        try await get(Lease.self, namespace: namespace, name: name)
    }

    public func createLease(_ lease: Lease) async throws(APIError) -> Lease { try await create(lease) }

    public func updateLease(_ lease: Lease) async throws(APIError) -> Lease { try await update(lease) }
}
