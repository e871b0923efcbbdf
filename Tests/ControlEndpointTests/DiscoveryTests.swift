import KubernetesAPI
import NIOCore
import Testing

@testable import ControlEndpoint

@Suite("Discovery and OpenAPI")
struct DiscoveryTests {
    @Test("every served resource is in the plain documents, with its subresources")
    func plain() async throws {
        let endpoint = try await EndpointFixture()
        let core = await endpoint.send("GET", "/api/v1").value
        let names = core.list("resources").map { $0.string("name") }
        #expect(names.contains("pods") && names.contains("pods/log") && names.contains("pods/binding"))
        #expect(names.contains("nodes/status") && !names.contains("leases"))
        let pods = try #require(core.list("resources").first { $0.string("name") == "pods" })
        #expect(pods.list("shortNames") == ["po"])
        #expect(pods.list("verbs").count == 8)
        let groups = await endpoint.send("GET", "/apis").value
        let groupNames = groups.list("groups").map { $0.string("name") }
        #expect(groupNames.contains("coordination.k8s.io") && groupNames.contains("storage.k8s.io"))
        let group = await endpoint.send("GET", "/apis/coordination.k8s.io").value
        #expect(group.string("preferredVersion", "groupVersion") == "coordination.k8s.io/v1")
        #expect(await endpoint.send("GET", "/apis/unknown.example.org").status == 404)
        let version = await endpoint.send("GET", "/version").value
        #expect(version.string("major") == "1" && version.string("minor") == "36")
    }

    @Test(
        "the aggregated form is chosen by Accept, echoed in the type, and not sent twice", arguments: ["v2", "v2beta1"])
    func aggregated(version: String) async throws {
        let endpoint = try await EndpointFixture()
        let type = "application/json;g=apidiscovery.k8s.io;v=\(version);as=APIGroupDiscoveryList"
        let answer = await endpoint.send("GET", "/api", accept: type + ",application/json")
        #expect(answer.contentType == type)
        #expect(answer.value.string("apiVersion") == "apidiscovery.k8s.io/\(version)")
        let resources = answer.value.list("items").first?.list("versions").first?.list("resources") ?? []
        #expect(resources.map { $0.string("resource") }.contains("pods"))
        var request = APIRequest(method: "GET", target: "/api")
        request.accept = type
        request.ifNoneMatch = answer.headers.first { $0.name == "ETag" }?.value ?? ""
        #expect(await endpoint.answer(to: request, as: EndpointFixture.admin).status == 304)
        let plain = await endpoint.send("GET", "/api")
        #expect(plain.value.string("kind") == "APIVersions")
    }

    @Test("OpenAPI version 3 names each group version, and its PATCH tells of dryRun and fieldValidation")
    func openAPI3() async throws {
        let endpoint = try await EndpointFixture()
        let index = await endpoint.send("GET", "/openapi/v3").value
        let paths = Set((index["paths"]?.objectValue ?? [:]).keys)
        #expect(paths.isSuperset(of: ["api/v1", "apis/coordination.k8s.io/v1", "apis/storage.k8s.io/v1"]))
        let url = index.string("paths", "api/v1", "serverRelativeURL")
        let answer = await endpoint.send("GET", url)
        #expect(answer.headers.contains { $0.name == "Cache-Control" && $0.value.contains("immutable") })
        let patch = answer.value[path: "paths", "/api/v1/namespaces/{namespace}/pods/{name}", "patch"] ?? [:]
        #expect(patch.string("x-kubernetes-group-version-kind", "kind") == "Pod")
        let parameters = patch.list("parameters").map { $0.string("name") }
        #expect(parameters.contains("dryRun") && parameters.contains("fieldValidation"))
        let schemas = answer.value[path: "components", "schemas"] ?? [:]
        let containers = schemas[path: "io.k8s.api.core.v1.PodSpec", "properties", "containers"] ?? [:]
        #expect(containers.string("x-kubernetes-patch-merge-key") == "name")
        #expect(containers.string("items", "$ref") == "#/components/schemas/io.k8s.api.core.v1.Container")
        #expect(unresolved(in: answer.value, schemas: schemas, prefix: "#/components/schemas/").isEmpty)
    }

    @Test("OpenAPI version 2 comes as JSON and in the binary form old clients ask for")
    func openAPI2() async throws {
        let endpoint = try await EndpointFixture()
        let json = await endpoint.send("GET", "/openapi/v2")
        #expect(json.value.string("swagger") == "2.0")
        #expect(unresolved(in: json.value, schemas: json.value["definitions"] ?? [:], prefix: "#/definitions/").isEmpty)
        let binary = await endpoint.send(
            "GET", "/openapi/v2", accept: "application/com.github.proto-openapi.spec.v2@v1.0+protobuf")
        #expect(binary.contentType == "application/com.github.proto-openapi.spec.v2.v1.0+protobuf")
        #expect(binary.text.hasPrefix("\n\u{3}2.0"))
    }

    /// References that lead nowhere.
    private func unresolved(in value: JSONValue, schemas: JSONValue, prefix: String) -> [String] {
        switch value {
        case .object(let members):
            members.flatMap { key, member -> [String] in
                if key == "$ref", let target = member.stringValue {
                    return schemas[String(target.dropFirst(prefix.count))] == nil ? [target] : []
                }
                return unresolved(in: member, schemas: schemas, prefix: prefix)
            }
        case .array(let elements): elements.flatMap { unresolved(in: $0, schemas: schemas, prefix: prefix) }
        case .null, .bool, .integer, .double, .string: []
        }
    }

    @Test("numbers and lengths are written as protocol buffers want them")
    func protobuf() {
        var writer = ProtobufWriter()
        writer.string(1, "ab")
        writer.string(2, "")
        writer.bool(3, true)
        writer.message(31) { $0.string(16, String(repeating: "x", count: 200)) }
        #expect(writer.bytes.prefix(6) == [0x0A, 2, 0x61, 0x62, 0x18, 1])
        #expect(writer.bytes[6..<13] == [0xFA, 0x01, 0xCC, 0x01, 0x82, 0x01, 0xC8])
    }
}
