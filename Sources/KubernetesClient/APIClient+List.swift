public import KubernetesAPI

extension APIClient {
    /// Objects per page.
    static let pageSize = 500
    /// Pages after which a server is taken to hand out continue tokens without end.
    static let maximumPages = 4_000

    /// Lists a whole collection, page by page, or fails: a part of a list is never returned.
    ///
    /// - Parameters:
    ///   - namespace: nil for all namespaces, or a cluster-scoped kind.
    ///   - resourceVersion: `""` for the latest state, `"0"` for whatever the server has at hand.
    /// - Throws: `APIError`; `isExpired` when the pages could not be read from one state of the store.
    public func list<T: KubernetesResource>(
        _ type: T.Type, namespace: String? = nil, labelSelector: String = "", fieldSelector: String = "",
        resourceVersion: String = ""
    ) async throws(APIError) -> ResourceList<T> {
        try await list(
            type, path: T.definition.path(namespace: namespace),
            query: Self.selectors(labelSelector: labelSelector, fieldSelector: fieldSelector),
            accept: "application/json", resourceVersion: resourceVersion)
    }

    func list<T: KubernetesResource>(
        _ type: T.Type, path: String, query: [APIRequest.Parameter], accept: String, resourceVersion: String
    ) async throws(APIError) -> ResourceList<T> {
        var list = ResourceList<T>(items: [], resourceVersion: "")
        var token = ""
        for page in 0..<Self.maximumPages {
            var request = APIRequest(.get, path, query: query, accept: accept)
            request.query.append(.init("limit", String(Self.pageSize)))
            if !token.isEmpty {
                // The token already says which state of the store is read.
                request.query.append(.init("continue", token))
            } else if !resourceVersion.isEmpty {
                request.query.append(.init("resourceVersion", resourceVersion))
            }
            let next = try await self.page(request, into: &list, first: page == 0)
            if next.isEmpty { return list }
            if next == token { break }
            token = next
        }
        throw .transport(
            .malformedResponse, "the list does not end: the server keeps sending continue tokens",
            request: "GET \(path)")
    }

    static func selectors(labelSelector: String, fieldSelector: String) -> [APIRequest.Parameter] {
        var query: [APIRequest.Parameter] = []
        if !labelSelector.isEmpty { query.append(.init("labelSelector", labelSelector)) }
        if !fieldSelector.isEmpty { query.append(.init("fieldSelector", fieldSelector)) }
        return query
    }

    /// Adds one page; returns its continue token, empty after the last page.
    private func page<T: KubernetesResource>(
        _ request: APIRequest, into list: inout ResourceList<T>, first: Bool
    ) async throws(APIError) -> String {
        let response = try await send(request)
        let value = try ResourceCoding.value(response.body, request: request.label)
        // `items` is null in an empty list of some servers, but a body without `metadata` is no list at all.
        guard let metadata = value["metadata"], metadata.objectValue != nil,
            value["kind"]?.stringValue?.hasSuffix("List") != false
        else {
            throw .transport(.malformedResponse, "the answer is not a list", request: request.label)
        }
        if first { list.resourceVersion = metadata["resourceVersion"]?.stringValue ?? "" }
        let items = value["items"] ?? .null
        guard items == .null || items.arrayValue != nil else {
            throw .transport(.malformedResponse, "items: must be an array", request: request.label)
        }
        for item in items.arrayValue ?? [] {
            switch ResourceCoding.item(T.self, item) {
            case .success(let object): list.items.append(object)
            case .failure(let error): list.undecodable.append(error.object)
            }
        }
        return metadata["continue"]?.stringValue ?? ""
    }
}
