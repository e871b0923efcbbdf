internal import Crypto
internal import KubernetesAPI
internal import NIOCore

/// `/api`, `/apis`, their groups and versions, and `/version`: what clients ask first. Everything is encoded once, at
/// start.
struct Discovery: Sendable {
    private struct Document: Sendable {
        let body: ByteBuffer
        let etag: String

        init(_ value: JSONValue) {
            let bytes = value.serialized()
            body = ByteBuffer(bytes: bytes)
            let digest = SHA256.hash(data: bytes).prefix(16)
            etag = "\"\(digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined())\""
        }
    }

    private static let group = "apidiscovery.k8s.io"

    private var plain: [String: Document] = [:]
    /// By path, then by version of the aggregated form.
    private var aggregated: [String: [String: Document]] = [:]

    init(registry: ResourceRegistry) {
        let versions = registry.groupVersions
        plain["/version"] = Document(EndpointVersion.document)
        plain["/api"] = Document([
            "kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [],
        ])
        let groups = Set(versions.map(\.group)).subtracting([""]).sorted()
        let groupDocuments = groups.map { name in Self.group(name, versions) }
        plain["/apis"] = Document(["kind": "APIGroupList", "apiVersion": "v1", "groups": .array(groupDocuments)])
        for (name, document) in zip(groups, groupDocuments) {
            var single = document
            single["kind"] = "APIGroup"
            single["apiVersion"] = "v1"
            plain["/apis/\(name)"] = Document(single)
        }
        for (group, version) in versions {
            let path = group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)"
            plain[path] = Document(
                DiscoveryDocuments.resourceList(registry.resources(group: group, version: version), group, version))
        }
        let paths = versions.map { $0.group.isEmpty ? "/api/\($0.version)" : "/apis/\($0.group)/\($0.version)" }
        plain["/"] = Document([
            "paths": .array(
                (["/api", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"] + paths)
                    .sorted().map(JSONValue.string))
        ])
        for form in ["v2", "v2beta1"] {
            aggregated["/api", default: [:]][form] = Document(
                DiscoveryDocuments.aggregated(registry, groups: [""], form: form))
            aggregated["/apis", default: [:]][form] = Document(
                DiscoveryDocuments.aggregated(registry, groups: groups, form: form))
        }
    }

    private static func group(_ name: String, _ all: [(group: String, version: String)]) -> JSONValue {
        let versions = all.filter { $0.group == name }.map { entry -> JSONValue in
            ["groupVersion": .string("\(name)/\(entry.version)"), "version": .string(entry.version)]
        }
        return ["name": .string(name), "versions": .array(versions), "preferredVersion": versions.first ?? [:]]
    }

    /// Nil when the path is no discovery path.
    func answer(_ request: APIRequest) throws(APIStatusError) -> APIResponse? {
        var path = request.path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        guard let document = plain[path] else { return nil }
        if let forms = aggregated[path] {
            for type in MediaType.list(request.accept) where type.name == "application/json" {
                guard type.parameters["g"] == Self.group, type.parameters["as"] == "APIGroupDiscoveryList",
                    let version = type.parameters["v"], let found = forms[version]
                else {
                    if type.parameters["as"] == nil { break }
                    continue
                }
                let contentType = "application/json;g=\(Self.group);v=\(version);as=APIGroupDiscoveryList"
                return answer(found, request, contentType: contentType)
            }
        }
        guard Representation(accept: request.accept) != nil else { throw .notAcceptable }
        return answer(document, request, contentType: "application/json")
    }

    private func answer(_ document: Document, _ request: APIRequest, contentType: String) -> APIResponse {
        let headers = [("Vary", "Accept"), ("ETag", document.etag), ("Cache-Control", "public")]
        let isKnown = request.ifNoneMatch.split(separator: ",").contains {
            $0.trimmingPrefix(" ") == document.etag
        }
        return APIResponse(
            status: isKnown ? 304 : 200, contentType: contentType,
            body: .bytes(isKnown ? ByteBuffer() : document.body), headers: headers)
    }
}

/// What `/version` says. Clients compare the minor version with their own.
enum EndpointVersion {
    static let gitVersion = "v1.36.0+swiftlet"

    #if arch(arm64)
    private static let architecture = "arm64"
    #else
    private static let architecture = "amd64"
    #endif

    static let document: JSONValue = [
        "major": "1", "minor": "36", "gitVersion": .string(gitVersion), "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": "swift",
        "platform": .string("linux/\(architecture)"),
    ]
}
