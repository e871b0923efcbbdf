internal import FoundationEssentials  // Base64 of continue tokens.
internal import KubernetesAPI
internal import NIOCore

/// Getting and listing over HTTP.
extension EndpointAPI {
    func read(
        _ request: APIRequest, _ info: RequestInfo, _ resource: RegisteredResource
    ) throws(APIStatusError) -> APIResponse {
        switch info.verb {
        case .watch: return try watch(request, info, resource)
        case .list: return try list(request, info, resource)
        case .get, .create, .update, .patch, .delete, .deletecollection:
            let object = try operations.get(
                operations.storage(of: resource), namespace: info.namespace, name: try name(info))
            return try answer(WriteResult(resource.view?.shown(object) ?? object), request, resource)
        }
    }

    private func list(
        _ request: APIRequest, _ info: RequestInfo, _ resource: RegisteredResource
    ) throws(APIStatusError) -> APIResponse {
        let form = try representation(request)
        let filter = try filter(request, resource)
        let limit = try request.query.integer("limit") ?? 0
        guard limit >= 0 else { throw .badRequest("query parameter limit: must not be negative") }
        let token = request.query["continue"]
        try checkMatch(request, token)
        var page = ListPage(resourceVersion: 0)
        if token.isEmpty {
            try checkVersion(request)
            let all = operations.store.list(resource.storageID)
            page = ListPage(
                resource.view?.shown(all) ?? all, namespace: info.namespace, filter: filter, after: nil,
                limit: Int(clamping: limit))
            if page.hasMore { operations.store.keep(all) }
        } else {
            page = try nextPage(token, resource, namespace: info.namespace, filter: filter, limit: Int(clamping: limit))
        }
        return try answer(page, filter, form, resource, request)
    }

    /// What the parameters of a list may not be together.
    private func checkMatch(_ request: APIRequest, _ token: String) throws(APIStatusError) {
        let (version, match) = (request.query["resourceVersion"], request.query["resourceVersionMatch"])
        if !token.isEmpty, !version.isEmpty, version != "0" {
            throw .badRequest("specifying resource version is not allowed when using continue")
        }
        guard !match.isEmpty else { return }
        let path = FieldPath("resourceVersionMatch")
        var problems: [FieldError] = []
        if version.isEmpty {
            problems.append(.forbidden(path, "resourceVersionMatch is forbidden unless resourceVersion is provided"))
        }
        if !token.isEmpty {
            problems.append(.forbidden(path, "resourceVersionMatch is forbidden when continue is provided"))
        }
        if match != "Exact", match != "NotOlderThan" {
            problems.append(.notSupported(path, match, ["Exact", "NotOlderThan", ""]))
        } else if match == "Exact", version == "0" {
            problems.append(
                .forbidden(path, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""))
        }
        guard problems.isEmpty else {
            throw .invalid(
                ResourceDefinition(
                    group: "meta.k8s.io", version: "v1", kind: "ListOptions", plural: "", namespaced: false), "",
                problems)
        }
    }

    /// A list of an exact or a future version is something only etcd could answer.
    private func checkVersion(_ request: APIRequest) throws(APIStatusError) {
        let text = request.query["resourceVersion"]
        if text.isEmpty || text == "0" { return }
        guard let version = Int64(text), version > 0 else {
            throw .badRequest("query parameter resourceVersion: invalid value \"\(text)\": must be a whole number")
        }
        let current = operations.store.resourceVersion
        if version > current { throw .versionAhead(requested: version, current: current) }
        if request.query["resourceVersionMatch"] == "Exact", version < current {
            throw .expired("The resourceVersion for the provided list is too old.")
        }
    }

    private func nextPage(
        _ token: String, _ resource: RegisteredResource, namespace: String?, filter: ObjectFilter, limit: Int
    ) throws(APIStatusError) -> ListPage {
        guard let position = ContinueToken(text: token) else {
            throw .badRequest("continue key is not valid: it was not made by this server")
        }
        if let version = position.version {
            guard let kept = operations.store.kept(resource.storageID, version: version) else {
                let onward = ContinueToken(version: nil, namespace: position.namespace, name: position.name)
                throw .expired(
                    "The provided continue parameter is too old to display a consistent list result. You can start a "
                        + "new list without the continue parameter, or use the continue token in this response to "
                        + "retrieve the remainder of the results with an inconsistent list.", continueToken: onward.text
                )
            }
            return ListPage(
                resource.view?.shown(kept) ?? kept, namespace: namespace, filter: filter, after: position, limit: limit)
        }
        let all = operations.store.list(resource.storageID)
        let page = ListPage(
            resource.view?.shown(all) ?? all, namespace: namespace, filter: filter, after: position, limit: limit)
        if page.hasMore { operations.store.keep(all) }
        return page
    }

    func answer(
        _ page: ListPage, _ filter: ObjectFilter, _ form: Representation, _ resource: RegisteredResource,
        _ request: APIRequest
    ) throws(APIStatusError) -> APIResponse {
        let metadata = page.metadata(countRemaining: filter.matchesAll)
        switch form.form {
        case .object:
            let kind = resource.definition.kind + "List"
            var buffer = ByteBuffer()
            let head = "{\"kind\":\"\(kind)\",\"apiVersion\":\"\(resource.definition.apiVersion)\",\"metadata\":"
            buffer.writeString(head)
            buffer.writeBytes(metadata.serialized())
            buffer.writeString(",\"items\":[")
            for (index, object) in page.objects.enumerated() {
                if index > 0 { buffer.writeString(",") }
                buffer.writeBytes(object.json)
            }
            buffer.writeString("]}\n")
            return APIResponse(status: 200, contentType: form.contentType, body: .bytes(buffer))
        case .table(let version):
            let table = resource.table.table(
                of: page.objects.map(\.value), version: version, listMetadata: metadata,
                include: try includeObject(request), now: operations.now)
            return .json(table, contentType: form.contentType)
        case .partialMetadata(let version):
            let list: JSONValue = [
                "kind": "PartialObjectMetadataList", "apiVersion": .string("meta.k8s.io/\(version)"),
                "metadata": metadata,
                "items": .array(page.objects.map { PartialMetadata.of($0.value, version: version) }),
            ]
            return .json(list, contentType: form.contentType)
        }
    }
}

/// One page of a list.
struct ListPage: Sendable {
    var objects: [StoredObject] = []
    var resourceVersion: Int64
    /// Objects after this page.
    var remaining = 0

    var hasMore: Bool { remaining > 0 }

    init(resourceVersion: Int64) { self.resourceVersion = resourceVersion }

    /// - Parameters:
    ///   - position: the last object of the page before.
    ///   - limit: 0 for no limit.
    init(
        _ snapshot: ResourceStore.Snapshot, namespace: String?, filter: ObjectFilter, after position: ContinueToken?,
        limit: Int
    ) {
        resourceVersion = snapshot.resourceVersion
        for object in snapshot.objects {
            if let namespace, object.key.namespace != namespace { continue }
            if let position, (object.key.namespace, object.key.name) <= (position.namespace, position.name) { continue }
            guard filter.matches(object) else { continue }
            if limit > 0, objects.count == limit { remaining += 1 } else { objects.append(object) }
        }
    }

    /// - Parameter countRemaining: with a selector, how many are left is not told.
    func metadata(countRemaining: Bool) -> JSONValue {
        var metadata: [String: JSONValue] = ["resourceVersion": .string(String(resourceVersion))]
        if hasMore, let last = objects.last {
            let token = ContinueToken(version: resourceVersion, namespace: last.key.namespace, name: last.key.name)
            metadata["continue"] = .string(token.text)
            if countRemaining { metadata["remainingItemCount"] = .integer(Int64(remaining)) }
        }
        return .object(metadata)
    }
}

/// Where a list goes on: after which object, and in which version of the world (nil: the newest).
struct ContinueToken: Hashable, Sendable {
    var version: Int64?
    var namespace: String
    var name: String

    init(version: Int64?, namespace: String, name: String) {
        self.version = version
        self.namespace = namespace
        self.name = name
    }

    init?(text: String) {
        let plain = text.replacing("-", with: "+").replacing("_", with: "/")
        guard let data = Data(base64Encoded: plain), let value = try? JSONValue(parsing: data),
            value.string("v") == "swiftlet/v1", let name = value["name"]?.stringValue,
            let namespace = value["ns"]?.stringValue
        else { return nil }
        self.init(version: value["rv"]?.intValue, namespace: namespace, name: name)
    }

    var text: String {
        var value: JSONValue = ["v": "swiftlet/v1", "ns": .string(namespace), "name": .string(name)]
        if let version { value["rv"] = .integer(version) }
        // The URL-safe alphabet, for clients that put the token into a query as it is.
        return Data(value.serialized()).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
    }
}
