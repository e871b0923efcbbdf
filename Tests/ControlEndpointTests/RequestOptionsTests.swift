import KubernetesAPI
import NIOCore
import Testing

@testable import ControlEndpoint

@Suite("What clients may ask for beside the object")
struct RequestOptionsTests {
    private static let maps = "/api/v1/namespaces/default/configmaps"

    private func send(
        _ endpoint: EndpointFixture, _ method: String, _ target: String, text: String,
        contentType: String = "application/json"
    ) async -> EndpointFixture.Answer {
        var request = APIRequest(method: method, target: target)
        request.contentType = contentType
        request.body = ByteBuffer(string: text)
        return await endpoint.answer(to: request, as: EndpointFixture.admin)
    }

    @Test("a field that is sent twice is refused, warned of or taken as the client wishes; the last one counts")
    func duplicates() async throws {
        let endpoint = try await EndpointFixture()
        let body = #"{"metadata":{"name":"twice"},"data":{"a":"1","b":"2","a":"3"}}"#
        // From a client that says nothing it is a mistake, too.
        for query in ["?fieldValidation=Strict", ""] {
            let strict = await send(endpoint, "POST", Self.maps + query, text: body)
            #expect(strict.status == 400)
            #expect(strict.value.string("message").hasSuffix(#"strict decoding error: duplicate field "data.a""#))
        }
        let warned = await send(endpoint, "POST", Self.maps + "?dryRun=All&fieldValidation=Warn", text: body)
        #expect(warned.status == 201)
        #expect(warned.value.string("data", "a") == "3")
        #expect(warned.headers.contains { $0.name == "Warning" && $0.value.contains(#"duplicate field \"data.a\""#) })
        let taken = await send(endpoint, "POST", Self.maps + "?fieldValidation=Ignore", text: body)
        #expect(taken.status == 201 && !taken.headers.contains { $0.name == "Warning" })
        let patch = await send(
            endpoint, "PATCH", Self.maps + "/twice?fieldValidation=Strict", text: #"{"data":{"a":"1","a":"2"}}"#,
            contentType: "application/merge-patch+json")
        #expect(patch.value.string("message").contains(#"duplicate field "data.a""#))
        let deep = await send(
            endpoint, "POST", "/api/v1/namespaces/default/pods?dryRun=All&fieldValidation=Strict",
            text: #"{"metadata":{"name":"p"},"spec":{"containers":[{"name":"a","name":"b","image":"i"}]}}"#)
        #expect(deep.value.string("message").contains(#"duplicate field "spec.containers[0].name""#))
    }

    @Test("a JSON patch that brings in an unknown field is told as such")
    func jsonPatch() async throws {
        let endpoint = try await EndpointFixture()
        try await endpoint.create(Self.maps, EndpointFixture.configMap("m"))
        let patch: JSONValue = [["op": "add", "path": "/dat", "value": [:]]]
        let type = "application/json-patch+json"
        let strict = await endpoint.send("PATCH", Self.maps + "/m?fieldValidation=Strict", patch, contentType: type)
        #expect(strict.status == 400)
        #expect(strict.value.string("message").contains(#"unknown field "dat""#))
        let warned = await endpoint.send("PATCH", Self.maps + "/m", patch, contentType: type)
        #expect(warned.status == 200 && warned.headers.contains { $0.name == "Warning" })
    }

    @Test("parameters of a list that exclude each other are refused")
    func listParameters() async throws {
        let endpoint = try await EndpointFixture()
        for name in ["a", "b", "c"] { try await endpoint.create(Self.maps, EndpointFixture.configMap(name)) }
        let page = await endpoint.send("GET", Self.maps + "?limit=1").value
        let token = page.string("metadata", "continue")
        func status(_ query: String) async -> Int { await endpoint.send("GET", Self.maps + "?" + query).status }
        #expect(await status("limit=1&continue=\(token)&resourceVersion=0") == 200)
        #expect(await status("limit=1&continue=\(token)&resourceVersion=1") == 400)
        #expect(await status("limit=1&continue=\(token)&resourceVersionMatch=Exact") == 422)
        #expect(await status("resourceVersionMatch=Exact") == 422)
        #expect(await status("resourceVersion=0&resourceVersionMatch=Exact") == 422)
        #expect(await status("resourceVersion=0&resourceVersionMatch=Closest") == 422)
        #expect(await status("resourceVersion=0&resourceVersionMatch=NotOlderThan") == 200)
    }

    @Test("booleans are read as the API's own clients in other languages write them")
    func booleans() {
        #expect(QueryParameters(parsing: "watch=True").flag("watch"))
        #expect(QueryParameters(parsing: "watch").flag("watch"))
        for text in ["watch=False", "watch=0", "watch=false", "other=1"] {
            #expect(!QueryParameters(parsing: text).flag("watch"))
        }
    }
}
