internal import Crypto
internal import KubernetesAPI
internal import NIOCore
internal import Synchronization

/// `/openapi/v3` and `/openapi/v2`, generated from our own types. Made at the first request: not every client asks.
final class OpenAPIDocuments: Sendable {
    private struct Document: Sendable {
        let body: ByteBuffer
        let hash: String

        init(_ bytes: [UInt8]) {
            body = ByteBuffer(bytes: bytes)
            hash = SHA256.hash(data: bytes).prefix(16)
                .map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        }
    }

    /// What clients ask for: not a valid media type, because of the `@`.
    private static let protobufRequestTypes: Set<String> = [
        "application/com.github.proto-openapi.spec.v2@v1.0+protobuf", protobufType,
    ]
    /// What they are answered with: the same with a dot, which their parsers take.
    private static let protobufType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"

    private let registry: ResourceRegistry
    private let made = Mutex<[String: Document]>([:])

    init(registry: ResourceRegistry) { self.registry = registry }

    /// Nil when the path is no OpenAPI path.
    func answer(_ request: APIRequest) throws(APIStatusError) -> APIResponse? {
        switch request.path {
        case "/openapi/v2": return try secondVersion(request)
        case "/openapi/v3", "/openapi/v3/":
            return answer(document("v3") { index().serialized() }, request, "application/json")
        default: break
        }
        let prefix = "/openapi/v3/"
        guard request.path.hasPrefix(prefix) else { return nil }
        let path = String(request.path.dropFirst(prefix.count))
        guard let found = registry.groupVersions.first(where: { Self.path($0.group, $0.version) == path }) else {
            return nil
        }
        return answer(third(found.group, found.version), request, "application/json")
    }

    private static func path(_ group: String, _ version: String) -> String {
        group.isEmpty ? "api/\(version)" : "apis/\(group)/\(version)"
    }

    private func secondVersion(_ request: APIRequest) throws(APIStatusError) -> APIResponse {
        let types = MediaType.list(request.accept)
        if types.contains(where: { Self.protobufRequestTypes.contains($0.name) }) {
            return answer(
                document("v2.protobuf") { OpenAPIProtobuf.encode(self.second()) }, request, Self.protobufType)
        }
        guard Representation(accept: request.accept) != nil else { throw .notAcceptable }
        return answer(document("v2.json") { self.second().serialized() }, request, "application/json")
    }

    private func second() -> JSONValue {
        let definitions = OpenAPIDefinitions(registry.resources, dialect: .v2)
        return [
            "swagger": "2.0", "info": Self.info,
            "paths": .object(OpenAPIPaths(definitions, dialect: .v2).all(registry.resources)),
            "definitions": .object(definitions.all()),
        ]
    }

    private func third(_ group: String, _ version: String) -> Document {
        document("v3/\(group)/\(version)") {
            let resources = registry.resources(group: group, version: version)
            let definitions = OpenAPIDefinitions(resources, dialect: .v3)
            let document: JSONValue = [
                "openapi": "3.0.0", "info": Self.info,
                "paths": .object(OpenAPIPaths(definitions, dialect: .v3).all(resources)),
                "components": ["schemas": .object(definitions.all())],
            ]
            return document.serialized()
        }
    }

    /// The index names each document with its hash, so that clients may keep it for ever.
    private func index() -> JSONValue {
        var paths: [String: JSONValue] = [:]
        for (group, version) in registry.groupVersions {
            let path = Self.path(group, version)
            let hash = third(group, version).hash
            paths[path] = ["serverRelativeURL": .string("/openapi/v3/\(path)?hash=\(hash)")]
        }
        return ["paths": .object(paths)]
    }

    private static let info: JSONValue = ["title": "Kubernetes", "version": .string(EndpointVersion.gitVersion)]

    private func document(_ name: String, _ make: () -> [UInt8]) -> Document {
        if let document = made.withLock({ $0[name] }) { return document }
        // Made outside the lock: two first requests may both make it, and get the same.
        let document = Document(make())
        made.withLock { $0[name] = document }
        return document
    }

    private func answer(_ document: Document, _ request: APIRequest, _ contentType: String) -> APIResponse {
        let etag = "\"\(document.hash)\""
        let isFixed = request.query["hash"] == document.hash
        let headers = [
            ("ETag", etag), ("Vary", "Accept"),
            ("Cache-Control", isFixed ? "public, immutable, max-age=31536000" : "no-cache, private"),
        ]
        let isKnown = request.ifNoneMatch.contains(etag)
        return APIResponse(
            status: isKnown ? 304 : 200, contentType: contentType,
            body: .bytes(isKnown ? ByteBuffer() : document.body), headers: headers)
    }
}
